// What is recorded: one function per file. Each gets `{ http, redactor, staff }` and a transcript to write into.
import { newId, openStream, Socket, until } from './recorder.mjs';

const post = (chat, id, token, body, transcript) =>
  chat.http.expect(201, 'POST', `/chat/session/${id}/messages`, {
    token,
    json: { body, client_message_id: newId() },
    transcript,
  });

async function newSession(chat, transcript) {
  const created = await chat.http.expect(201, 'POST', '/chat/session', { json: { name: 'Ann' } });
  chat.redactor.secret(created.token, 'channel token');
  chat.redactor.secret(created.resume_key, 'resume key');
  transcript?.line('>', 'POST /chat/session\n>   {"name":"Ann"}');
  transcript?.line('<', `201 ${JSON.stringify(created)}`);
  return { id: created.session.id, token: created.token, resumeKey: created.resume_key };
}

const hasSeq = (seq) => (frame) => frame.seq === seq;
const isType = (type) => (frame) => frame.type === type;
const auth = (session, rest = {}) => ({ type: 'auth', session_id: session.id, token: session.token, ...rest });

async function websocketResume(chat, transcript) {
  transcript.remark(
    'A customer begins a chat and opens its channel; the token goes into the first frame, not into the address.',
  );
  const session = await newSession(chat, transcript);
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send(auth(session, { last_seq: 0 }));
  const ready = await socket.frame(isType('channel.ready'), 'channel.ready');
  await socket.frame(hasSeq(1), 'seq 1');
  transcript.remark(
    'They write; the message comes back as an event with the next seq. An operator answers; the client acknowledges.',
  );
  await post(chat, session.id, session.token, 'Is the blue one in stock?', transcript);
  await socket.frame(hasSeq(2), 'seq 2');
  await post(chat, session.id, chat.staff.token, 'Yes, three of them.');
  const answer = await socket.frame(hasSeq(3), 'seq 3');
  socket.send({ type: 'ack', last_id: answer.data.id });
  socket.send({ type: 'ping' });
  await socket.frame(isType('channel.pong'), 'channel.pong');
  transcript.remark('The connection is lost. Meanwhile the operator writes again.');
  await socket.close();
  await post(chat, session.id, chat.staff.token, 'Shall I put one aside?');
  transcript.remark(
    'The client comes back with its cursor, 3, and the slot of its old connection: what it missed follows channel.ready.',
  );
  const again = new Socket(chat.http.baseUrl, { transcript });
  await again.opened();
  again.send(auth(session, { last_seq: 3, replaces: ready.data.connection_id }));
  await again.frame(hasSeq(4), 'seq 4');
  await again.close();
}

async function subprotocol(chat, transcript) {
  const session = await newSession(chat);
  transcript.remark('The token in the second subprotocol. The server selects chat.v1 and never repeats the token.');
  const socket = new Socket(chat.http.baseUrl, {
    query: `?session=${session.id}&last_seq=0`,
    protocols: ['chat.v1', `bearer.${session.token}`],
    transcript,
  });
  await socket.frame(hasSeq(1), 'seq 1');
  transcript.remark(`Selected: ${socket.socket.protocol}`);
  await socket.close();
}

async function sseResume(chat, transcript) {
  const session = await newSession(chat);
  const path = `/channel/sse?session=${session.id}&last_seq=0`;
  const headers = { Authorization: `Bearer ${session.token}` };
  transcript.remark('A stream through fetch, with the token in a header.');
  const stream = await openStream(chat.http.baseUrl, path, { headers, transcript });
  await until(() => stream.text.includes('"seq":1,'), 'seq 1');
  await post(chat, session.id, session.token, 'Hello');
  await until(() => stream.text.includes('"seq":2,'), 'seq 2');
  stream.close();
  await until(() => stream.ended, 'the stream to end');
  await post(chat, session.id, chat.staff.token, 'Good morning');
  transcript.remark('It comes back with the last id it saw; the header wins over last_seq in the query.');
  const again = await openStream(chat.http.baseUrl, path, {
    headers: { ...headers, 'Last-Event-ID': '2' },
    transcript,
  });
  await until(() => again.text.includes('"seq":3,'), 'seq 3');
  again.close();
  await until(() => again.ended, 'the stream to end');
  transcript.remark('What was received is acknowledged by HTTP.');
  const lastId = Number(/"seq":3,"data":\{"id":(\d+)/.exec(again.text)?.[1]);
  await chat.http.expect(204, 'POST', `/channel/ack?session=${session.id}`, {
    token: session.token,
    json: { last_id: lastId },
    transcript,
  });
}

async function streamLink(chat, transcript) {
  const session = await newSession(chat);
  transcript.remark(
    'A native EventSource cannot set headers: it gets a signed address, which opens this one stream for an hour.',
  );
  const link = await chat.http.expect(200, 'POST', `/chat/session/${session.id}/stream-link`, { token: session.token });
  const signature = new URL(link.url, chat.http.baseUrl).searchParams.get('sig');
  chat.redactor.secret(signature, 'signature');
  chat.redactor.secret(encodeURIComponent(signature), 'signature');
  transcript.line('>', `POST /chat/session/${session.id}/stream-link\n>   Authorization: Bearer ${session.token}`);
  transcript.line('<', `200 ${JSON.stringify(link)}`);
  const { pathname, search } = new URL(link.url, chat.http.baseUrl);
  const stream = await openStream(chat.http.baseUrl, `${pathname}${search}`, {
    headers: { 'Last-Event-ID': '0' },
    transcript,
  });
  await until(() => stream.text.includes('"seq":1,'), 'seq 1');
  stream.close();
  await until(() => stream.ended, 'the stream to end');
  transcript.remark('A signature for another session.');
  await chat.http.expect(401, 'GET', `${pathname.replace(String(session.id), String(session.id + 1))}${search}`, {
    transcript,
  });
}

async function poll(chat, transcript) {
  const session = await newSession(chat);
  const get = (query) =>
    chat.http.expect(200, 'GET', `/channel/poll?session=${session.id}${query}`, { token: session.token, transcript });
  transcript.remark('Without a cursor: the head, at once.');
  const head = await get('');
  transcript.remark('From the head, waiting: answered as soon as something comes.');
  const waiting = get(`&last_seq=${head.last_seq}&wait=25`);
  await post(chat, session.id, chat.staff.token, 'Good morning');
  await waiting;
  transcript.remark('From the beginning: what is there, at once.');
  await get('&last_seq=0&wait=25');
  transcript.remark('A cursor beyond the head.');
  await chat.http.expect(409, 'GET', `/channel/poll?session=${session.id}&last_seq=99`, {
    token: session.token,
    transcript,
  });
}

async function staffResume(chat, transcript) {
  transcript.remark('An operator. Frames of all sessions; `cursor` is the resume point, where there is one.');
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send({ type: 'auth', access_token: chat.staff.token });
  const ready = await socket.frame(isType('channel.ready'), 'channel.ready');
  const session = await newSession(chat);
  await post(chat, session.id, session.token, 'Hello');
  await socket.frame((frame) => frame.session_id === session.id && frame.seq === 2, 'seq 2');
  transcript.remark('They claim the session. Then their connection is lost, and things go on.');
  await chat.http.expect(200, 'POST', `/chat/session/${session.id}/assign`, { token: chat.staff.token, json: {} });
  await socket.frame(
    (frame) => frame.session_id === session.id && frame.type === 'chat.session.assigned',
    'the assignment',
  );
  await socket.close();
  await post(chat, session.id, session.token, 'Anybody there?');
  await chat.http.expect(201, 'POST', `/chat/session/${session.id}/notes`, {
    token: chat.staff.token,
    json: { body: 'Wants the blue one' },
  });
  transcript.remark(
    'Back with the last cursor they have; what they have already they drop by (session_id, seq), or by feed_id.',
  );
  const cursor = [...socket.frames].reverse().find((frame) => frame.cursor !== undefined)?.cursor ?? ready.data.cursor;
  const again = new Socket(chat.http.baseUrl, { transcript });
  await again.opened();
  again.send({ type: 'auth', access_token: chat.staff.token, cursor, replaces: ready.data.connection_id });
  await again.frame(isType('chat.note'), 'the note');
  await again.close();
}

async function refresh(chat, transcript) {
  const session = await newSession(chat);
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send(auth(session));
  await socket.frame(isType('channel.ready'), 'channel.ready');
  transcript.remark('A new token by resume key, then the same connection goes on with it.');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const path = `/chat/session/${session.id}/channel-token`;
  const next = await chat.http.expect(200, 'GET', path, { headers: { 'X-Resume-Key': session.resumeKey } });
  chat.redactor.secret(next.token, 'next channel token');
  transcript.line('>', `GET ${path}\n>   X-Resume-Key: ${session.resumeKey}`);
  transcript.line('<', `200 ${JSON.stringify(next)}`);
  socket.send({ ...auth(session), token: next.token });
  await socket.frame(isType('channel.refreshed'), 'channel.refreshed');
  transcript.remark('A token of another session ends the connection.');
  const other = await newSession(chat);
  socket.send(auth(other));
  await until(() => socket.closed, 'the close');
}

async function badFrames(chat, transcript) {
  const session = await newSession(chat);
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send(auth(session));
  await socket.frame(isType('channel.ready'), 'channel.ready');
  transcript.remark('Each bad frame is answered; the third ends the connection.');
  for (const frame of [['not', 'an', 'object'], { type: 'subscribe' }, { type: 'ack', last_id: 'x' }])
    socket.send(frame);
  await until(() => socket.closed, 'the close');
}

async function limit(chat, transcript) {
  const session = await newSession(chat);
  transcript.remark(
    'Five tabs of one session are open. The sixth completes the upgrade, since a browser hides the status of a refused one.',
  );
  const quiet = { line() {} };
  const tabs = [];
  for (let tab = 0; tab < 5; tab += 1) {
    const socket = new Socket(chat.http.baseUrl, { transcript: quiet });
    await socket.opened();
    socket.send(auth(session));
    await socket.frame(isType('channel.ready'), 'channel.ready');
    tabs.push(socket);
  }
  const sixth = new Socket(chat.http.baseUrl, { transcript });
  await sixth.opened();
  sixth.send(auth(session));
  await until(() => sixth.closed, 'the close');
  transcript.remark('It polls plain REST meanwhile, and tries again once a minute.');
  await chat.http.expect(200, 'GET', `/chat/session/${session.id}/events?after_seq=0`, {
    token: session.token,
    transcript,
  });
  for (const tab of tabs) await tab.close();
}

async function revoked(chat, transcript) {
  const session = await newSession(chat);
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send(auth(session));
  await socket.frame(isType('channel.ready'), 'channel.ready');
  transcript.remark('An operator revokes the access of this session.');
  await chat.http.expect(204, 'POST', `/chat/session/${session.id}/revoke`, { token: chat.staff.token });
  await until(() => socket.closed, 'the close');
  await chat.http.expect(401, 'GET', `/chat/session/${session.id}`, { token: session.token, transcript });
}

/** The last one: it stops the server. */
async function goodbye(chat, transcript) {
  const session = await newSession(chat);
  const socket = new Socket(chat.http.baseUrl, { transcript });
  await socket.opened();
  socket.send(auth(session));
  await socket.frame(isType('channel.ready'), 'channel.ready');
  transcript.remark('The gateway gets SIGTERM: it says when to come back, serves until then, and closes.');
  chat.stop();
  await until(() => socket.closed, 'the close');
}

export const SCENARIOS = {
  'websocket-resume': websocketResume,
  'websocket-subprotocol': subprotocol,
  'sse-resume': sseResume,
  'stream-link': streamLink,
  poll,
  'staff-resume': staffResume,
  refresh,
  'bad-frames': badFrames,
  limit,
  revoked,
  goodbye,
};
