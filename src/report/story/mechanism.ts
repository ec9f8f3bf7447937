/**
 * How a thing that a rule has found comes about: general knowledge, one or two sentences for
 * each kind of finding. The figures are the finding's own; a kind without a line here is shown
 * without one.
 */
export const MECHANISMS: Readonly<Record<string, string>> = {
  'slot-hoarding':
    'A slot belongs to a connection until that connection closes, whether or not it carries a ' +
    'request. So idle keep-alive connections keep their slots, while requests on other ' +
    'connections lie unread: no error, no CPU time, no line in a log.',
  'invisible-starvation':
    'The health check takes a way of its own past the queue. It is answered at once however ' +
    'many connections wait, and so every target stays healthy.',
  multiplication:
    'Nothing ties a client connection to one connection behind it: each request goes out on ' +
    'whichever pooled connection is free, or opens another. Whatever counts connections further ' +
    'on does not count clients.',
  'retry-amplification':
    'Each attempt that fails is sent again, so that a system that is late already gets more ' +
    'work, and the share of it that anybody still waits for falls.',
  'uneven-hosts':
    'A balancer that spreads flows decides once for each connection, for its whole life. Few and ' +
    'long-lived connections therefore fall unevenly, and the requests with them.',
  'timeout-ladder':
    'Two timers run on the same connection at different hops and nothing orders them: whichever ' +
    'is shorter decides, and the other side learns of it too late.',
  'connection-per-request':
    'Whoever sends "Connection: close" pays for a handshake with each request, and the end that ' +
    'closes first keeps the pair of ports for a minute more, so that late segments find nobody ' +
    'else there. Rates that a kept connection would not notice can use up the ports.',
  'first-mover':
    'What moves first is nearest to the cause; what follows is consequence. Metrics of one point ' +
    'a minute put both into one point.',
  'chart-lead':
    'A metric of a minute adds up or averages sixty seconds, so that cause and consequence stand ' +
    'in one point, and what lasts a few seconds is thinned to nothing.',
};
