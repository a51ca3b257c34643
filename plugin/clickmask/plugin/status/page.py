"""The status page: plain HTML, no build, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Sequence
from html import escape

from clickmask.plugin.doctor.findings import Finding, cure_for
from clickmask.plugin.status.recent_errors import RecentError
from clickmask.plugin.status.status import ProjectStatus, Status
from clickmask.plugin.work import Work

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100% } td { padding: .3rem .8rem .3rem 0; vertical-align: top }
tr + tr td { border-top: 1px solid #ddd } .wrong { color: #a00 } .note { color: #860 } small { color: #555 }
progress { width: 8rem; vertical-align: middle }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #ddd } tr + tr td { border-color: #444 } small { color: #aaa }
  .wrong { color: #f88 } .note { color: #fc6 }
}
"""
_SCRIPT = """
addEventListener("click", async ({target}) => {
  if (!target.dataset.cancel) return;
  const body = JSON.stringify({work: target.dataset.cancel});
  await fetch("cancel", {method: "POST", headers: {"Content-Type": "application/json"}, body});
  location.reload();
});
"""
_HASHES = {text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (_STYLE, _SCRIPT)}
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASHES[_STYLE]}'; script-src 'sha256-{_HASHES[_SCRIPT]}'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def status_page(status: Status) -> str:
    """Write the page; it asks for itself anew every five seconds."""
    sections = [
        _section("Models", (_row(name, _state(state)) for name, state in status.models.items())),
        _section("At work", map(_work_row, status.work), "nothing in the background"),
        _section("Waiting", (_row(name, escape(str(count))) for name, count in status.waiting.items())),
        _section("Projects", map(_project_row, status.projects), "no project introduced itself since the start"),
        _section("Last errors", map(_error_row, status.errors), "none since the start"),
        _section("On disk", _disk_rows(status)),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        f"<title>ClickMask backend</title><style>{_STYLE}</style><h1>ClickMask backend</h1>{''.join(sections)}"
        "<p><small>The other side is looked at by <code>clickmask doctor</code>; numbers for machines are at "
        f'<a href="metrics">/metrics</a>.</small></p><script>{_SCRIPT}</script></html>'
    )


def _section(title: str, rows: Iterable[str], without: str = "none") -> str:
    inside = "".join(rows)
    body = f"<table>{inside}</table>" if inside else f"<p>{escape(without)}</p>"
    return f"<h2>{escape(title)}</h2>{body}"


def _row(name: str, *cells: str) -> str:
    """A row whose first cell is text and whose others are HTML."""
    return f"<tr><td>{escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _state(state: str) -> str:
    if state in ("ready", "loading"):
        return escape(state)
    return _finding(Finding("wrong", state, cure_for(state)))


def _finding(finding: Finding) -> str:
    cure = f"<br><small>{escape(finding.cure)}</small>" if finding.cure else ""
    return f'<span class="{finding.state}">{escape(finding.what)}</span>{cure}'


def _work_row(work: Work) -> str:
    shown = f"{work.done} of {work.total}" if work.total else "waits"
    bar = f'<progress value="{work.done}" max="{max(work.total, 1)}"></progress> {shown}'
    return _row(work.what, bar, f'<button data-cancel="{escape(work.id)}">cancel</button>')


def _project_row(status: ProjectStatus) -> str:
    project = status.project
    options = ", ".join(f"{name}: {value}" for name, value in status.changed_options.items())
    about = f"{escape(project.connection.url or 'address unknown')}<br><small>{escape(options or 'defaults')}</small>"
    if status.learned:
        about += f"<br><small>{escape(status.learned)}</small>"
    return _row(f"project {project.number or project.id}", about, _findings(status.findings))


def _findings(findings: Sequence[Finding]) -> str:
    return "<br>".join(map(_finding, findings)) or "nothing odd in its label config"


def _error_row(error: RecentError) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(error.time))
    return _row(f"{clock} {error.where}", _finding(Finding("wrong", error.message, cure_for(error.message))))


def _disk_rows(status: Status) -> Iterable[str]:
    for store in status.stores:
        yield _row(store.name, f"{store.used_mb} of at most {store.budget_mb} MB")
    yield _row("free", f"{status.free_mb} MB")
