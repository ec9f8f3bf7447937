/** End-to-end tests run the built command line: vitest sees to it that it is not an old one. */
export { ensureProgram as setup } from './setup.mjs';
