// Brush, eraser and outline: changing a mask by hand. (Part of App.)

const Repairing = {
  useTool(tool) {
    const { state } = this;
    if (["eraser", "outline"].includes(tool) && !this.takeSelected() && !shownAnswer(state.draft)) this.toasts.show(TEXT.noMaskToEdit);
    if (tool === "brush") this.takeSelected();
    state.tool = tool;
    this.stage.cursor = null;
    this.stopHover();
    this.settings.render();
    this.draftChanged();
    this.focus();
  },

  // a selected object becomes the draft before it is repaired
  takeSelected() {
    const object = this.state.selectedObject;
    if (object && isEmptyDraft(this.state.draft)) this.refine(object);
    return Boolean(object);
  },

  strokeBegins(at, erases) {
    this.stage.stroke = { points: [at], radius: this.state.brushRadius, erases, color: erases ? "#000000" : this.state.draftColor() };
    this.stage.refresh();
  },

  strokeMoves(points) {
    if (!this.stage.stroke) return;
    this.stage.stroke.points.push(...points);
    this.stage.refresh();
  },

  strokeEnds(since) {
    const { stroke } = this.stage;
    this.stage.stroke = null;
    if (!stroke) return;
    const answer = shownAnswer(this.state.draft);
    const mask = answer ? answer.mask : new Mask(new Uint32Array(4));
    const painted = paintedMask(mask, stroke.points, stroke.radius, stroke.erases, this.state.picture);
    if (painted.area || mask.area) this.nextDraft(withMask(this.state.draft, painted, since));
    else this.stage.refresh();
  },

  resizeBrush(factor) {
    this.state.brushRadius = Math.round(clamp(this.state.brushRadius * factor, 1, 200) * 10) / 10;
    keepSettings(this.state);
    this.settings.render();
    this.stage.refresh();
  },

  // asks for the outline whenever the mask or the wanted detail changed
  updateOutline() {
    const { draft, tool, minIou, picture } = this.state;
    const answer = shownAnswer(draft);
    if (tool !== "outline" || !answer || !answer.mask.area) {
      this.stage.vertices = null;
      this.outlined = null;
      this.settings.showOutline("");
      return;
    }
    const wanted = `${answer.mask.text}:${minIou}`;
    if (wanted === this.outlined) return;
    this.outlined = wanted;
    setTimeout(() => { if (this.outlining.busy) this.settings.showOutline(TEXT.outlining); }, 300);
    this.outlining.put({ wanted, folder: this.state.folder, picture: picture.id, runs: answer.mask.text, min_iou: minIou });
  },

  outlineAnswered(question, answer) {
    if (question.wanted !== this.outlined) return;
    this.stage.vertices = answer.rings;
    this.settings.showOutline(TEXT.points(answer.points, answer.iou));
    this.stage.refresh();
  },

  vertexMoves([ring, index], [x, y]) {
    const { picture } = this.state;
    const to = [clamp(x, 0, picture.width), clamp(y, 0, picture.height)];
    const all = this.stage.vertices[ring];
    const from = this.vertexFrom || [all[index], all[index + 1]];
    for (let i = 0; i < all.length; i += 2) { // both sides of a cut to a hole move together
      if (all[i] === from[0] && all[i + 1] === from[1]) [all[i], all[i + 1]] = to;
    }
    this.vertexFrom = to;
    this.stage.refresh();
  },

  async vertexEnds(since) {
    if (!this.vertexFrom) return;
    this.vertexFrom = null;
    const { folder, picture, draft } = this.state;
    try {
      const { runs } = await this.call("fill", { folder, picture: picture.id, rings: this.stage.vertices });
      if (this.state.draft !== draft) return;
      const mask = Mask.fromText(runs);
      this.outlined = `${mask.text}:${this.state.minIou}`; // the rings on screen are the outline of this mask
      this.settings.showOutline(TEXT.points(this.stage.vertices.reduce((sum, ring) => sum + ring.length / 2, 0), 1));
      this.nextDraft(withMask(draft, mask, since));
    } catch (failure) {
      this.fail(failure);
    }
  },
};
