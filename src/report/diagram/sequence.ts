/**
 * What a sequence diagram says, before it is written in any notation.
 *
 * The number on an arrow is the count of distinct connections used so far on that link for this
 * client. A host (EC2) is not a hop: no connection ends there. It is drawn because people think
 * in hosts; its arrow repeats the link into the host, and is marked so.
 *
 * All text in here is plain. It may come from a recording and contain anything: the writers
 * escape it.
 */
export interface Participant {
  /** `p1`, `p2`, ...: the only thing that writers use unescaped. */
  readonly id: string;
  readonly name: string;
}

export type ArrowStyle =
  /** A request goes up a link. */
  | 'request'
  /** The same link again, from the host to its first hop. */
  | 'repeat'
  /** The client gets an answer, or gives up. */
  | 'answer';

export interface Arrow {
  readonly step: 'arrow';
  readonly style: ArrowStyle;
  readonly from: string;
  readonly to: string;
  /** Distinct connections used so far on this link for this client; null for answers. */
  readonly count: number | null;
  /** Short name of the connection, `c431`; null where none is named. */
  readonly connection: string | null;
  readonly text: string | null;
}

export interface Note {
  readonly step: 'note';
  /** One participant, or the first and the last of several. */
  readonly over: readonly [string] | readonly [string, string];
  readonly text: string;
}

/** A line across the diagram, where a request begins. */
export interface Divider {
  readonly step: 'divider';
  readonly text: string;
}

export type Step = Arrow | Note | Divider;

export interface SequenceModel {
  readonly title: string;
  readonly participants: readonly Participant[];
  readonly steps: readonly Step[];
}

/** `2 (c431) same link`: count, connection and text as far as they are there. */
export function arrowLabel(arrow: Arrow): string {
  const parts: string[] = [];
  if (arrow.count !== null) parts.push(String(arrow.count));
  if (arrow.connection !== null) parts.push(`(${arrow.connection})`);
  if (arrow.text !== null) parts.push(arrow.text);
  return parts.join(' ');
}
