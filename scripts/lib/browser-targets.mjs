/**
 * The oldest browsers that the pages are built for and that the documents name. Chromium 109 is what the browser tests
 * run as well; the others follow from the newest things that are used and cannot be built away: style sheets that a
 * shadow root adopts (Firefox 101, Safari 16.4), `inert` (Firefox 112).
 */
export const BROWSER_TARGETS = ['chrome109', 'edge109', 'firefox115', 'safari16.4'];
