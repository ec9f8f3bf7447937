/** `waterhammer demo`: what npm start runs. */
export function demo(_options: object): Promise<number> {
  return Promise.resolve(0);
}
