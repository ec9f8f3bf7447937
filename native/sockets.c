/*
 * Sockets of Linux for the live engine, as thin as they can be: one epoll set for all sockets of
 * the process, whose descriptor libuv watches; what is ready is handed to JavaScript once per
 * batch. Every decision is JavaScript's (src/live/io/native-transport.ts); here are only the
 * system calls, each of which returns a negative errno on failure.
 *
 *   libuv ── epoll set readable ──► epoll_wait ──► onReady(count) ──► read, send, accept, ...
 *
 * Sockets are watched edge-triggered (epoll(7)): once added, nothing more has to be said to the
 * kernel while a connection is paused, resumed or written to. A listening socket is watched
 * level-triggered, and taken out of the set while nobody wants its connections.
 *
 * Node-API only, so that one build fits every Node; libuv's part (uv_poll) has not changed in 1.x.
 * Left out: anything but Linux, and names: addresses are numbers.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define BATCH_MAX 64
/* Longer texts are written as buffers. */
#define TEXT_MAX 16384
#define ARGUMENTS_MAX 4

typedef struct {
  napi_env env;
  int epoll;
  uv_poll_t poll;
  napi_ref on_ready;
  napi_async_context context;
  /* Sockets and listeners that keep the process alive. */
  int open;
  /* Shared with JavaScript: what is read, and (descriptor, token, events) of what is ready. */
  napi_ref kept[2];
  char *input;
  size_t input_size;
  int32_t *ready;
  struct epoll_event events[BATCH_MAX];
} Sockets;

typedef struct {
  Sockets *sockets;
  napi_value values[ARGUMENTS_MAX];
} Call;

static Call call_of(napi_env env, napi_callback_info info) {
  Call call;
  size_t count = ARGUMENTS_MAX;
  void *data;
  napi_get_cb_info(env, info, &count, call.values, NULL, &data);
  call.sockets = data;
  return call;
}

static int32_t integer(napi_env env, napi_value value) {
  int32_t number = -1;
  napi_get_value_int32(env, value, &number);
  return number;
}

static napi_value result(napi_env env, ssize_t number) {
  napi_value value;
  napi_create_int32(env, (int32_t)number, &value);
  return value;
}

static napi_value checked(napi_env env, int outcome) {
  return result(env, outcome < 0 ? -errno : outcome);
}

/* One more or one less socket is open; the last one lets the process end. */
static void opened(Sockets *sockets, int more) {
  sockets->open += more;
  if (sockets->open == 0) uv_unref((uv_handle_t *)&sockets->poll);
  else uv_ref((uv_handle_t *)&sockets->poll);
}

static int control(Sockets *sockets, int operation, int fd, int32_t token, uint32_t events) {
  struct epoll_event event = {.events = events};
  event.data.u64 = (uint64_t)(uint32_t)token << 32 | (uint32_t)fd;
  return epoll_ctl(sockets->epoll, operation, fd, &event);
}

#define READING (EPOLLIN | EPOLLRDHUP | EPOLLET)

/* The address in numbers, or a family of 0. */
static socklen_t parsed(napi_env env, napi_value text, int32_t port, struct sockaddr_storage *to) {
  char address[INET6_ADDRSTRLEN] = "";
  size_t length;
  napi_get_value_string_latin1(env, text, address, sizeof address, &length);
  memset(to, 0, sizeof *to);
  struct sockaddr_in *v4 = (struct sockaddr_in *)to;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return sizeof *v6;
  }
  return 0;
}

/* As packAddress (model/event.ts): 0 for what is not IPv4. */
static napi_value packed(napi_env env, const struct sockaddr_storage *from) {
  double number = 0;
  napi_value value;
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    number = (double)ntohl(v4->sin_addr.s_addr) * 65536 + ntohs(v4->sin_port);
  } else if (from->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      uint32_t v4;
      memcpy(&v4, v6->sin6_addr.s6_addr + 12, sizeof v4);
      number = (double)ntohl(v4) * 65536 + ntohs(v6->sin6_port);
    }
  }
  napi_create_double(env, number, &value);
  return value;
}

static void without_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/*
 * Nothing is congested within a machine, but some congestion controls (BBR) measure and pace each
 * segment all the same. Reno, which is always there, does least. Accepted sockets inherit it.
 */
static void without_pacing(int fd, const struct sockaddr_storage *address) {
  static const char plain[] = "reno";
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
  int is_local = address->ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
                                               : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  if (is_local) setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof plain - 1);
}

/* connect(address, port, token): a descriptor whose connection is on its way. */
static napi_value connect_to(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  struct sockaddr_storage to;
  socklen_t size = parsed(env, call.values[0], integer(env, call.values[1]), &to);
  if (size == 0) return result(env, -EINVAL);
  int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return result(env, -errno);
  without_delay(fd);
  without_pacing(fd, &to);
  int outcome = connect(fd, (struct sockaddr *)&to, size);
  if (outcome == 0 || errno == EINPROGRESS) {
    int32_t token = integer(env, call.values[2]);
    outcome = control(call.sockets, EPOLL_CTL_ADD, fd, token, READING | EPOLLOUT);
  }
  if (outcome < 0) {
    int error = errno;
    close(fd);
    return result(env, -error);
  }
  opened(call.sockets, 1);
  return result(env, fd);
}

/* listen(address, port, backlog): a listening descriptor, not watched yet. */
static napi_value listen_at(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  struct sockaddr_storage at;
  socklen_t size = parsed(env, call.values[0], integer(env, call.values[1]), &at);
  if (size == 0) return result(env, -EINVAL);
  int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return result(env, -errno);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  without_pacing(fd, &at);
  if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, integer(env, call.values[2])) < 0) {
    int error = errno;
    close(fd);
    return result(env, -error);
  }
  opened(call.sockets, 1);
  return result(env, fd);
}

/* watch(listener, token): its connections are wanted; unwatch(listener): not for now. */
static napi_value watch(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  int fd = integer(env, call.values[0]);
  int32_t token = integer(env, call.values[1]);
  return checked(env, control(call.sockets, EPOLL_CTL_ADD, fd, token, EPOLLIN));
}

static napi_value unwatch(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  return checked(env, control(call.sockets, EPOLL_CTL_DEL, integer(env, call.values[0]), 0, 0));
}

/* accept(listener, token): the next connection, or -EAGAIN. */
static napi_value accept_from(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  int fd = accept4(integer(env, call.values[0]), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return result(env, -errno);
  without_delay(fd);
  if (control(call.sockets, EPOLL_CTL_ADD, fd, integer(env, call.values[1]), READING) < 0) {
    int error = errno;
    close(fd);
    return result(env, -error);
  }
  opened(call.sockets, 1);
  return result(env, fd);
}

/* again(socket, token, writing): whatever is ready now is told once more. */
static napi_value again(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  int fd = integer(env, call.values[0]);
  int32_t token = integer(env, call.values[1]);
  uint32_t events = integer(env, call.values[2]) ? READING | EPOLLOUT : READING;
  return checked(env, control(call.sockets, EPOLL_CTL_MOD, fd, token, events));
}

/* read(socket): bytes at the start of the shared buffer; 0 at the end. */
static napi_value read_from(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  Sockets *sockets = call.sockets;
  ssize_t size = recv(integer(env, call.values[0]), sockets->input, sockets->input_size, 0);
  return result(env, size < 0 ? -errno : size);
}

static napi_value send_out(napi_env env, int fd, const char *bytes, size_t size) {
  ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
  return result(env, sent < 0 ? -errno : sent);
}

/* sendInput(socket, from, length): of the shared buffer. */
static napi_value send_input(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  int32_t from = integer(env, call.values[1]);
  int32_t length = integer(env, call.values[2]);
  if (from < 0 || length < 0 || (size_t)from + (size_t)length > call.sockets->input_size) {
    return result(env, -EINVAL);
  }
  return send_out(env, integer(env, call.values[0]), call.sockets->input + from, length);
}

/* sendBytes(socket, buffer) */
static napi_value send_bytes(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  void *bytes;
  size_t size;
  if (napi_get_buffer_info(env, call.values[1], &bytes, &size) != napi_ok) {
    return result(env, -EINVAL);
  }
  return send_out(env, integer(env, call.values[0]), bytes, size);
}

/* sendText(socket, text): latin1, at most TEXT_MAX of it. */
static napi_value send_text(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  char text[TEXT_MAX + 1];
  size_t length;
  napi_get_value_string_latin1(env, call.values[1], text, sizeof text, &length);
  return send_out(env, integer(env, call.values[0]), text, length);
}

/* failure(socket): why it has failed, as a negative errno, or 0. */
static napi_value failure(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  int error = 0;
  socklen_t size = sizeof error;
  int fd = integer(env, call.values[0]);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  return result(env, -error);
}

static napi_value finish(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  return checked(env, shutdown(integer(env, call.values[0]), SHUT_WR));
}

static napi_value close_socket(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  opened(call.sockets, -1);
  return checked(env, close(integer(env, call.values[0])));
}

/* reset(socket): closes with RST. */
static napi_value reset(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  int fd = integer(env, call.values[0]);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  opened(call.sockets, -1);
  return checked(env, close(fd));
}

static napi_value local_address(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  struct sockaddr_storage name = {0};
  socklen_t size = sizeof name;
  if (getsockname(integer(env, call.values[0]), (struct sockaddr *)&name, &size) < 0) {
    name.ss_family = 0;
  }
  return packed(env, &name);
}

static napi_value remote_address(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  struct sockaddr_storage name = {0};
  socklen_t size = sizeof name;
  if (getpeername(integer(env, call.values[0]), (struct sockaddr *)&name, &size) < 0) {
    name.ss_family = 0;
  }
  return packed(env, &name);
}

static void tell(Sockets *sockets, int count) {
  napi_env env = sockets->env;
  napi_handle_scope scope;
  napi_value on_ready, receiver, number;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, sockets->on_ready, &on_ready);
  napi_get_global(env, &receiver);
  napi_create_int32(env, count, &number);
  if (napi_make_callback(env, sockets->context, receiver, on_ready, 1, &number, NULL) ==
      napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static int gather(Sockets *sockets) {
  int count = epoll_wait(sockets->epoll, sockets->events, BATCH_MAX, 0);
  for (int i = 0; i < count; i++) {
    uint64_t data = sockets->events[i].data.u64;
    sockets->ready[3 * i] = (int32_t)(uint32_t)data;
    sockets->ready[3 * i + 1] = (int32_t)(data >> 32);
    sockets->ready[3 * i + 2] = (int32_t)sockets->events[i].events;
  }
  return count;
}

/*
 * What one batch sent is often what makes the next one ready: another hop of this process. It is
 * handled here, without a turn of libuv's loop, but no more than one batch could hold: timers and what
 * writes the recording have to have their turn.
 */
static void ready(uv_poll_t *poll, int status, int events) {
  (void)events;
  Sockets *sockets = poll->data;
  if (status < 0) return;
  for (int handled = 0; handled < BATCH_MAX;) {
    int count = gather(sockets);
    if (count <= 0) return;
    handled += count;
    tell(sockets, count);
  }
}

static void released(uv_handle_t *handle) {
  Sockets *sockets = handle->data;
  close(sockets->epoll);
  free(sockets);
}

/* The environment ends: nothing is told any more. */
static void forget(void *data) {
  Sockets *sockets = data;
  uv_poll_stop(&sockets->poll);
  uv_close((uv_handle_t *)&sockets->poll, released);
}

static void *kept(napi_env env, napi_value value, napi_ref *reference, size_t *bytes) {
  napi_typedarray_type type;
  size_t length;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok) {
    return NULL;
  }
  napi_create_reference(env, value, 1, reference);
  *bytes = type == napi_int32_array ? length * sizeof(int32_t) : length;
  return data;
}

static const struct {
  const char *name;
  napi_callback call;
} CALLS[] = {
    {"connect", connect_to},   {"listen", listen_at},     {"watch", watch},
    {"unwatch", unwatch},      {"accept", accept_from},   {"again", again},
    {"read", read_from},       {"sendInput", send_input}, {"sendBytes", send_bytes},
    {"sendText", send_text},   {"failure", failure},      {"finish", finish},
    {"close", close_socket},   {"reset", reset},          {"localAddress", local_address},
    {"remoteAddress", remote_address},
};

/* start(input, ready, onReady): the calls, as an object. */
static napi_value start(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  Sockets *sockets = calloc(1, sizeof *sockets);
  uv_loop_t *loop;
  size_t room = 0;
  napi_value object, name;
  sockets->env = env;
  sockets->input = kept(env, call.values[0], &sockets->kept[0], &sockets->input_size);
  sockets->ready = kept(env, call.values[1], &sockets->kept[1], &room);
  sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
  int fits = sockets->input != NULL && room >= BATCH_MAX * 3 * sizeof(int32_t);
  if (!fits || sockets->epoll < 0 || napi_get_uv_event_loop(env, &loop) != napi_ok ||
      uv_poll_init(loop, &sockets->poll, sockets->epoll) != 0) {
    if (sockets->epoll >= 0) close(sockets->epoll);
    free(sockets);
    napi_throw_error(env, NULL, "no epoll set");
    return NULL;
  }
  napi_create_reference(env, call.values[2], 1, &sockets->on_ready);
  napi_create_string_latin1(env, "waterhammer-sockets", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &sockets->context);
  sockets->poll.data = sockets;
  uv_poll_start(&sockets->poll, UV_READABLE, ready);
  uv_unref((uv_handle_t *)&sockets->poll);
  napi_add_env_cleanup_hook(env, forget, sockets);
  napi_create_object(env, &object);
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
    napi_value function;
    napi_create_function(env, CALLS[i].name, NAPI_AUTO_LENGTH, CALLS[i].call, sockets, &function);
    napi_set_named_property(env, object, CALLS[i].name, function);
  }
  return object;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, NULL, &function);
  napi_set_named_property(env, exports, "start", function);
  return exports;
}
