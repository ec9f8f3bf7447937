/** What the colours and dashes of the pipeline mean. */
const PIPES = [
  ['active', 'request in flight'],
  ['idle', 'idle'],
  ['waiting', 'held, request unread'],
  ['held', 'held, no request'],
  ['closing', 'closing'],
] as const;

const SLOTS = [
  ['active', 'slot busy'],
  ['hoarded', 'slot idle while others wait'],
] as const;

export function Legend() {
  return (
    <ul class="legend">
      {PIPES.map(([name, words]) => (
        <li key={name}>
          <i class={`pipe ${name}`} /> {words}
        </li>
      ))}
      {SLOTS.map(([name, words]) => (
        <li key={words}>
          <i class={`slot ${name}`} /> {words}
        </li>
      ))}
    </ul>
  );
}
