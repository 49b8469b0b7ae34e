import { Channel } from './channel.js';
import { applyTexts, texts } from './texts.js';

const STORAGE_KEY = 'chat-realtime.staff';
const $ = (id) => document.getElementById(id);

let staff = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
let channel = null;
let feedCursor;
const sessions = new Map();
let openId = null;
/** Seq of the last event shown in the open chat: a frame at or below it has been shown. */
let shownSeq = 0;

applyTexts();
if (staff) enter();

$('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('login-error').textContent = '';
  const response = await fetch('/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: $('login-name').value, password: $('login-password').value }),
  });
  if (!response.ok) {
    $('login-error').textContent = response.status === 429 ? texts.tooMany : texts.badCredentials;
    return;
  }
  remember(await response.json());
  enter();
});
$('sign-out').addEventListener('click', async () => {
  await fetch('/auth/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${staff.access_token}` },
    body: JSON.stringify({ refresh_token: staff.refresh_token }),
  });
  leave();
});
$('back').addEventListener('click', () => ($('desk').dataset.open = 'false'));
$('claim').addEventListener('click', () => act('assign', {}));
$('close').addEventListener('click', () => act('close', {}));
$('reopen').addEventListener('click', () => act('reopen', {}));
$('composer').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = $('body').value;
  if (!body.trim() || openId === null) return;
  $('body').value = '';
  try {
    await call('POST', `/chat/session/${openId}/messages`, { body, client_message_id: crypto.randomUUID() });
  } catch {
    $('body').value = body;
  }
});
$('body').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $('composer').requestSubmit();
  }
});

function remember(answer) {
  staff = { ...staff, ...answer, expires_at: Date.now() + answer.expires_in * 1000 };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(staff));
}

function leave() {
  sessionStorage.removeItem(STORAGE_KEY);
  channel?.close();
  location.reload();
}

async function freshToken() {
  if (staff.expires_at - Date.now() > 60_000) return staff.access_token;
  const response = await fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: staff.refresh_token }),
  });
  if (response.status === 401) leave();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  remember(await response.json());
  return staff.access_token;
}

async function call(method, path, body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await freshToken()}` };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401) leave();
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.code), { code: answer.error.code });
  return answer;
}

async function enter() {
  $('login').hidden = true;
  $('desk').hidden = false;
  $('sign-out').hidden = false;
  $('title').textContent = texts.choose;
  showActions();
  await loadInbox();
  channel = new Channel({
    authFrame: async () => ({ type: 'auth', access_token: await freshToken(), cursor: feedCursor }),
    onFrame: onFrame,
    onState: (value) => {
      $('state').textContent = texts[value];
      $('state').dataset.state = value;
    },
    onRefused: leave,
  });
  channel.open();
}

async function loadInbox() {
  const answer = await call('GET', '/chat/sessions?sort=activity&limit=200');
  feedCursor = answer.feed_cursor;
  sessions.clear();
  for (const session of answer.sessions) sessions.set(session.id, session);
  drawInbox();
}

function drawInbox() {
  const rows = [...sessions.values()].sort((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at));
  $('sessions').replaceChildren(
    ...rows.map((session) => {
      const button = document.createElement('button');
      button.setAttribute('aria-current', String(session.id === openId));
      const name = document.createElement('span');
      name.textContent = session.contact.name || `${texts.visitor} ${session.id}`;
      const last = document.createElement('small');
      last.textContent = session.last_message?.body || texts.status[session.status] || session.status;
      if (session.unread_count > 0) {
        const unread = document.createElement('span');
        unread.className = 'unread';
        unread.textContent = session.unread_count;
        button.append(unread);
      }
      button.append(name, last);
      button.addEventListener('click', () => openSession(session.id));
      const row = document.createElement('li');
      row.append(button);
      return row;
    }),
  );
  if (rows.length === 0) {
    const row = document.createElement('li');
    row.className = 'alarm';
    row.textContent = texts.noChats;
    $('sessions').append(row);
  }
}

async function refreshSession(id) {
  const session = await call('GET', `/chat/session/${id}`);
  sessions.set(id, session);
  drawInbox();
  showActions();
}

async function openSession(id) {
  openId = id;
  shownSeq = 0;
  $('desk').dataset.open = 'true';
  $('log').replaceChildren();
  $('title').textContent = sessions.get(id)?.contact.name || `${texts.visitor} ${id}`;
  channel.send({ type: 'viewing', session_id: id });
  await fill(id);
  if (openId !== id) return;
  const last = sessions.get(id)?.last_message;
  if (last) await call('POST', `/chat/session/${id}/read`, { last_id: last.id });
  await refreshSession(id);
}

/** Reads on from the last event shown; a live frame that does not follow it directly is read here instead. */
async function fill(id) {
  let more = true;
  while (more) {
    const page = await call('GET', `/chat/session/${id}/events?after_seq=${shownSeq}&limit=500`);
    if (openId !== id) return;
    for (const event of page.events) show(event);
    more = page.has_more;
  }
}

async function act(step, body) {
  try {
    await call('POST', `/chat/session/${openId}/${step}`, body);
  } catch (error) {
    if (error.code === 'already_assigned') addLine('event', texts.taken);
  }
  await refreshSession(openId);
}

function showActions() {
  const session = sessions.get(openId);
  $('claim').hidden = !session || session.status === 'closed' || session.assigned_user_id === staff.user.id;
  $('close').hidden = !session || session.status === 'closed';
  $('reopen').hidden = session?.status !== 'closed';
  $('composer').hidden = !session;
}

function onFrame(frame) {
  if (frame.cursor) feedCursor = frame.cursor;
  if (frame.type === 'channel.reset') {
    feedCursor = undefined;
    loadInbox();
    return;
  }
  if (frame.type === 'channel.ready') showBadge(frame.data.state?.badge);
  else if (frame.type === 'chat.alert') showBadge(frame.data);
  else if (frame.session_id && typeof frame.seq === 'number') {
    if (frame.session_id === openId) {
      if (frame.seq === shownSeq + 1) show(frame);
      else if (frame.seq > shownSeq) fill(openId).catch(() => {});
      if (frame.type === 'chat.message.client' && !document.hidden) {
        call('POST', `/chat/session/${openId}/read`, { last_id: frame.data.id }).catch(() => {});
      }
    }
    refreshSession(frame.session_id).catch(() => {});
  }
}

function showBadge(badge) {
  if (!badge) return;
  const count = badge.unassigned_unread + (badge.mine_unread[staff.user.id] ?? 0);
  $('badge').hidden = count === 0;
  $('badge').textContent = count;
  document.title = count > 0 ? `(${count}) Чаты` : 'Чаты';
}

function show(frame) {
  if (frame.seq <= shownSeq) return;
  shownSeq = frame.seq;
  if (frame.type === 'chat.message' || frame.type === 'chat.message.client') {
    const { data } = frame;
    const own = data.sender_type === 'operator';
    const line = addLine(own ? 'mine' : '', data.body);
    const time = new Date(data.created_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    line.querySelector('small').textContent = [data.sender_name, time].filter(Boolean).join(', ');
  } else if (frame.type === 'chat.session.assigned') {
    addLine('event', texts.assigned(frame.data.assigned_user_name));
  } else if (frame.type === 'chat.session.status') {
    addLine('event', texts.status[frame.data.status] ?? frame.data.status);
  }
}

function addLine(kind, body) {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = body;
  line.append(document.createElement('small'));
  $('log').append(line);
  line.scrollIntoView({ block: 'end' });
  return line;
}
