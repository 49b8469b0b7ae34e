import { Channel } from './channel.js';
import { applyTexts, texts } from './texts.js';

const STORAGE_KEY = 'chat-realtime.session';
const log = document.getElementById('log');
const composer = document.getElementById('composer');
const field = document.getElementById('body');
const state = document.getElementById('state');

let session = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
let cursor = 0;
let channel = null;
const pending = new Map();

applyTexts();
state.textContent = '';
addLine('event', texts.welcome);
if (session) start();

composer.addEventListener('submit', (event) => {
  event.preventDefault();
  const body = field.value;
  if (!body.trim()) return;
  field.value = '';
  send({ body, client_message_id: crypto.randomUUID() });
});
field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  }
});
field.addEventListener('input', () => channel?.send({ type: 'typing', active: field.value.length > 0 }));

async function call(method, path, body, token) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status });
  return response.json();
}

function keep(answer) {
  session = { id: answer.session.id, resume_key: answer.resume_key, token: answer.token, expires_at: answer.expires_at };
  localStorage.setItem(STORAGE_KEY, JSON.stringify(session));
}

/** A token that is about to expire is renewed first: it does not renew itself. */
async function freshToken() {
  if (Date.parse(session.expires_at) - Date.now() > 60_000) return session.token;
  const response = await fetch(`/chat/session/${session.id}/channel-token`, { headers: { 'x-resume-key': session.resume_key } });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  Object.assign(session, await response.json());
  localStorage.setItem(STORAGE_KEY, JSON.stringify(session));
  return session.token;
}

async function send(message) {
  const line = pending.get(message.client_message_id)?.line ?? addLine('mine', message.body);
  pending.set(message.client_message_id, { line });
  const note = line.querySelector('small');
  note.className = '';
  note.textContent = texts.sending;
  line.onclick = null;
  try {
    if (session) {
      await call('POST', `/chat/session/${session.id}/messages`, message, await freshToken());
    } else {
      keep(await call('POST', '/chat/session', { locale: navigator.language, page_url: location.href, message }));
      start();
    }
  } catch {
    note.className = 'failed';
    note.textContent = texts.failed;
    line.onclick = () => send(message);
  }
}

function start() {
  channel = new Channel({
    authFrame: async () => ({ type: 'auth', session_id: session.id, token: await freshToken(), last_seq: cursor }),
    onFrame: show,
    onState: (value) => {
      state.textContent = texts[value];
      state.dataset.state = value;
    },
    onRefused: () => {
      localStorage.removeItem(STORAGE_KEY);
      location.reload();
    },
  });
  channel.open();
}

function show(frame) {
  if (frame.type === 'channel.reset') {
    cursor = 0;
    log.replaceChildren();
    return;
  }
  if (typeof frame.seq !== 'number' || frame.seq <= cursor) return;
  cursor = frame.seq;
  if (frame.type === 'chat.message') {
    const { data } = frame;
    const own = data.sender_type === 'client';
    const waiting = pending.get(data.client_message_id);
    const line = waiting?.line ?? addLine(own ? 'mine' : '', data.body);
    pending.delete(data.client_message_id);
    if (waiting) log.append(line);
    const time = new Date(data.created_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    line.querySelector('small').textContent = own ? time : [data.sender_name, time].filter(Boolean).join(', ');
    if (!own) channel.send({ type: 'ack', last_id: data.id });
  } else if (frame.type === 'chat.session.assigned') {
    addLine('event', texts.assigned(frame.data.assigned_user_name));
  } else if (frame.type === 'chat.session.status' && frame.data.status !== 'active') {
    addLine('event', texts.status[frame.data.status] ?? frame.data.status);
  }
}

function addLine(kind, body) {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = body;
  line.append(document.createElement('small'));
  log.append(line);
  line.scrollIntoView({ block: 'end' });
  return line;
}
