/** Run in a page where axe-core was put: what it finds wrong, in words. */
export const FAULTS_OF_ACCESS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`;
