// Icons only the video page has.

Object.assign(ICONS, {
  film: '<path d="M3 5h18v14H3zM8 5v14M16 5v14M3 9.500h5M3 14.500h5M16 9.500h5M16 14.500h5"/>',
  play: '<path d="M7 4.500l12 7.500-12 7.500z"/>',
  pause: '<path d="M8 5v14M16 5v14"/>',
  first: '<path d="M18 5l-8 7 8 7M6 5v14"/>',
  last: '<path d="M6 5l8 7-8 7M18 5v14"/>',
  track: '<path d="M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4"/><circle cx="12" cy="12" r="2.500"/>',
  forward: '<path d="M5 12h15M14 6l6 6-6 6"/><circle cx="5" cy="12" r="2"/>',
  backward: '<path d="M19 12H4M10 6l-6 6 6 6"/><circle cx="19" cy="12" r="2"/>',
  clear: '<path d="M4 12a8 8 0 1014-5.300M4 4v5h5M10 10l4 4M14 10l-4 4"/>',
  absent: '<circle cx="12" cy="12" r="8"/><path d="M6.500 6.500l11 11"/>',
});
