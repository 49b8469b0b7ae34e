// A test file that no suite runs is worse than none: each must lie where `npm test` looks.
import { projectFiles } from '../lib/files.mjs';

const RUN = [
  /^(?:libs|apps|clients)\/[^/]+\/src\/.*\.test\.tsx?$/,
  /^bench\/guard\.test\.ts$/,
  /^tests\/(?:blackbox|resume|faults|repo|browser)\/.*\.test\.ts$/,
];

export function checkSuites() {
  return projectFiles()
    .filter((path) => /\.(?:test|spec)\.[cm]?[jt]sx?$/.test(path) && !RUN.some((pattern) => pattern.test(path)))
    .map((path) => `${path}: no suite of "npm test" runs this file`);
}
