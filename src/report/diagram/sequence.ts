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
  /** The host that a hop lives on; a host names itself; null = on no host. */
  readonly host: string | null;
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
  /** The client's first request on this connection: here the count goes up. */
  readonly isFirst: boolean;
  /** An answer that is none: a failure, or a status of 400 and above. */
  readonly isTrouble: boolean;
}

export interface Note {
  readonly step: 'note';
  /** One participant, or the first and the last of several. */
  readonly over: readonly [string] | readonly [string, string];
  readonly text: string;
  /** A request waits, or ends here. */
  readonly isTrouble: boolean;
}

/** A line across the diagram, where a request begins. */
export interface Divider {
  readonly step: 'divider';
  readonly text: string;
}

export type Step = Arrow | Note | Divider;

export interface SequenceModel {
  readonly which: 'assumed' | 'actual';
  /** Whose requests, and which: `client mobile/7, requests 1 to 3`. */
  readonly subject: string;
  readonly participants: readonly Participant[];
  /** What the numbers mean, and what a host is. */
  readonly legend: readonly Note[];
  readonly steps: readonly Step[];
  /** Distinct connections used on each link by the last request drawn, toward the database. */
  readonly totals: readonly { readonly link: string; readonly count: number }[];
}

export function titleOf(model: SequenceModel): string {
  return `${model.which}: ${model.subject}`;
}

/** `2 (c431) same link`: count, connection and text as far as they are there. */
export function arrowLabel(arrow: Arrow): string {
  const parts: string[] = [];
  if (arrow.count !== null) parts.push(String(arrow.count));
  if (arrow.connection !== null) parts.push(`(${arrow.connection})`);
  if (arrow.text !== null) parts.push(arrow.text);
  return parts.join(' ');
}
