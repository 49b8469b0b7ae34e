// The dashboards, in short: `node deploy/monitoring/grafana/make-dashboards.mjs` writes dashboards/*.json, which Grafana
// provisions. `npm test` fails when a file differs from what this makes, or a panel asks for a metric that is not there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
const quantile = (q, metric, by = '') =>
  `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`;
const rate = (metric, by = '') => `sum ${by === '' ? '' : `by (${by}) `}(rate(${metric}[$__rate_interval]))`;

/** What a panel shows: `[title, unit, { legend: expression }, description?]`; `stat` for one number. */
const DASHBOARDS = {
  flow: {
    title: 'Chat · Flow',
    rows: {
      'Does the chat work?': [
        [
          'Probe: post to frame',
          's',
          {
            'p50 {{transport}} {{role}}': quantile(0.5, 'chat_probe_seconds', 'transport, role'),
            'p99 {{transport}} {{role}}': quantile(0.99, 'chat_probe_seconds', 'transport, role'),
          },
          'A message posted and read through the edge, as a customer and as an operator: this is what “the chat works” means',
        ],
        [
          'Probe: lost',
          'short',
          { '{{transport}} {{role}}': 'sum by (transport, role) (increase(chat_probe_lost_total[$__rate_interval]))' },
          'Messages the probe was not shown in time; zero in ordinary operation',
        ],
        [
          'Open connections',
          'short',
          { '{{transport}} {{kind}}': 'sum by (transport, kind) (chat_active_connections)' },
          'active_connections: who is connected now',
        ],
        [
          'Dispatch errors',
          'ops',
          { '{{reason}}': rate('chat_dispatch_errors_total', 'reason') },
          'dispatch_errors: attempts that failed to hand an event on; zero in ordinary operation',
        ],
        [
          'Ping to pong',
          's',
          { p50: quantile(0.5, 'chat_ws_ping_latency_seconds'), p99: quantile(0.99, 'chat_ws_ping_latency_seconds') },
          'ws_ping_latency: the way to the customer and back',
        ],
        [
          'Commit to socket',
          's',
          { p50: quantile(0.5, 'chat_delivery_latency_seconds'), p99: quantile(0.99, 'chat_delivery_latency_seconds') },
          'Objective: 99 % within 1 s',
        ],
      ],
      'One event, hop by hop': [
        ['1 · Messages stored', 'ops', { '{{sender}}': rate('chat_messages_committed_total', 'sender') }],
        [
          '2 · Waiting for the broker',
          'short',
          { events: 'max(chat_outbox_pending)', 'oldest, s': 'max(chat_outbox_oldest_age_seconds)' },
        ],
        ['3 · Given to the broker', 'ops', { '{{result}}': rate('chat_relay_published_total', 'result') }],
        ['4 · Broker confirms a batch', 's', { p99: quantile(0.99, 'chat_relay_confirm_seconds') }],
        ['5 · Dispatched', 'ops', { '{{result}} {{kind}}': rate('chat_dispatch_events_total', 'result, kind') }],
        [
          '6 · Commit to fan-out',
          's',
          { p50: quantile(0.5, 'chat_dispatch_lag_seconds'), p99: quantile(0.99, 'chat_dispatch_lag_seconds') },
        ],
        [
          '7 · Commit to socket, by path',
          's',
          { '{{path}} p99': quantile(0.99, 'chat_delivery_latency_seconds', 'path') },
          'live: over Redis; others were found by catch-up or head check',
        ],
        [
          '8 · Delivery marks taken',
          'ops',
          { accepted: rate('chat_acks_sent_total'), 'waiting, events': 'sum(chat_acks_pending)' },
        ],
      ],
    },
  },
  gateway: {
    title: 'Chat · Gateway',
    rows: {
      Connections: [
        ['Open, by gateway', 'short', { '{{instance}}': 'sum by (instance) (chat_active_connections)' }],
        ['Made', 'ops', { '{{transport}} {{result}}': rate('chat_handshakes_total', 'transport, result') }],
        [
          'Ended, by close code',
          'ops',
          { '{{code}}': rate('chat_disconnects_total', 'code') },
          'Codes: docs/protocol/SPEC.md',
        ],
        ['Refused by a rate', 'ops', { '{{kind}}': rate('chat_rate_limited_total', 'kind') }],
      ],
      'Readers and limits': [
        ['Queued for slow readers', 'bytes', { '{{instance}}': 'sum by (instance) (chat_send_buffer_bytes)' }],
        ['Shed for reading too slowly', 'ops', { shed: rate('chat_slow_consumers_total') }],
        [
          'Limits hold over all gateways',
          'short',
          { '{{instance}}': 'chat_limit_mode' },
          '1 over all, 0 for this gateway alone (Redis away)',
        ],
        ['Sessions followed', 'short', { '{{instance}}': 'chat_sessions_followed' }],
      ],
    },
  },
  correctness: {
    title: 'Chat · Correctness',
    rows: {
      'What the live path lost, and who found it': [
        [
          'Sessions found behind by a head check',
          'ops',
          { behind: rate('chat_headcheck_behind_total') },
          'Zero while the live path is well',
        ],
        [
          'Holes in a sequence',
          'ops',
          { holes: rate('chat_gaps_detected_total'), 'held now': 'sum(chat_held_events)' },
        ],
        [
          'Repeats dropped',
          'ops',
          {
            duplicates: rate('chat_duplicates_dropped_total'),
            'of another session': rate('chat_foreign_frames_dropped_total'),
          },
          'Repeats are ordinary after a redelivery; frames of another session never are',
        ],
        ['Live path impaired', 'short', { '{{instance}}': 'chat_live_path_impaired' }],
      ],
      'Catch-up': [
        ['Calls to chat-service', 'ops', { '{{result}}': rate('chat_catchup_requests_total', 'result') }],
        ['One call', 's', { p99: quantile(0.99, 'chat_catchup_duration_seconds') }],
        ['One head check', 's', { p99: quantile(0.99, 'chat_headcheck_duration_seconds') }],
        ['Events in a page of a resume', 'short', { p99: quantile(0.99, 'chat_resume_events') }],
      ],
      'One leader, one feed': [
        ['Relay leaders', 'short', { leaders: 'sum(chat_relay_leader)' }, 'Always 1'],
        ['Feed lag', 's', { lag: 'max(chat_feed_lag_seconds)' }],
        ['Feed shown, by gateway', 'short', { '{{instance}}': 'chat_feed_cursor' }],
        [
          'Dead letters',
          'short',
          { '{{reason}}': 'sum by (reason) (increase(chat_dispatch_dead_lettered_total[1h]))' },
        ],
      ],
    },
  },
  desk: {
    title: 'Chat · Desk',
    rows: {
      Customers: [
        ['Waiting for an answer', 'short', { customers: 'max(chat_desk_waiting_sessions)' }],
        ['Longest wait', 's', { wait: 'max(chat_desk_oldest_waiting_seconds)' }],
        ['Unread, open', 'short', { sessions: 'max(chat_desk_unread_sessions)' }],
        ['Callbacks past their time', 'short', { callbacks: 'max(chat_desk_callbacks_due)' }],
      ],
      'Told to the site': [
        ['Alerts raised', 'ops', { '{{reason}}': rate('chat_alerts_raised_total', 'reason') }],
        ['Webhook attempts', 'ops', { '{{result}}': rate('chat_webhook_deliveries_total', 'result') }],
        ['Webhooks waiting', 'short', { waiting: 'max(chat_webhook_deliveries_pending)' }],
        ['Oldest of them', 's', { age: 'max(chat_webhook_oldest_pending_seconds)' }],
      ],
      Sign: [
        ['Sign-ins of operators', 'ops', { '{{event}} {{result}}': rate('chat_auth_events_total', 'event, result') }],
      ],
    },
  },
  service: {
    title: 'Chat · Services',
    rows: {
      'Up, and what they need': [
        ['Up', 'short', { '{{instance}}': 'up{job="chat"}' }],
        ['Redis connected', 'short', { '{{instance}}': 'chat_redis_connected' }],
        ['RabbitMQ connected', 'short', { '{{instance}}': 'chat_rabbitmq_connected' }],
        [
          'Disk free, and the floor',
          'bytes',
          { 'free {{instance}}': 'chat_disk_free_bytes', 'floor {{instance}}': 'chat_disk_floor_bytes' },
        ],
      ],
      'What they use': [
        ['Processor', 'percentunit', { '{{instance}}': rate('chat_process_cpu_seconds_total', 'instance') }],
        ['Memory', 'bytes', { '{{instance}}': 'chat_process_resident_memory_bytes' }],
        ['Event loop, p99', 's', { '{{instance}}': 'chat_nodejs_eventloop_lag_p99_seconds' }],
        ['Open files', 'short', { '{{instance}}': 'chat_process_open_fds' }],
      ],
      Requests: [
        ['Answers, by code', 'ops', { '{{code}}': rate('chat_http_requests_total', 'code') }],
        [
          'Slowest routes, p99',
          's',
          { '{{route}}': `topk(8, ${quantile(0.99, 'chat_http_request_duration_seconds', 'route')})` },
        ],
        ['A post waits for its session', 's', { p99: quantile(0.99, 'chat_post_lock_wait_seconds') }],
        ['Sweeps that failed', 'ops', { '{{sweep}}': rate('chat_sweep_failures_total', 'sweep') }],
      ],
    },
  },
};

const COLUMNS = 4;
const WIDTH = 24 / COLUMNS;
const HEIGHT = 8;

function panel([title, unit, series, description = ''], id, x, y) {
  return {
    id,
    type: 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    gridPos: { x, y, w: WIDTH, h: HEIGHT },
    fieldConfig: {
      defaults: { unit, min: 0, custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never' } },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: Object.entries(series).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

/** A dashboard as Grafana reads it. */
export function dashboard(name) {
  const { title, rows } = DASHBOARDS[name];
  const panels = [];
  let y = 0;
  for (const [heading, cells] of Object.entries(rows)) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: heading,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    cells.forEach((cell, index) => {
      panels.push(panel(cell, panels.length + 1, (index % COLUMNS) * WIDTH, y + Math.floor(index / COLUMNS) * HEIGHT));
    });
    y += Math.ceil(cells.length / COLUMNS) * HEIGHT;
  }
  return {
    uid: `chat-${name}`,
    title,
    tags: ['chat'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    refresh: '15s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      { type: 'dashboards', tags: ['chat'], asDropdown: false, title: 'Chat', includeVars: false, keepTime: true },
    ],
    annotations: {
      list: [
        {
          name: 'Alarms',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'red',
          expr: 'ALERTS{alertstate="firing", alertname=~"Chat.*"}',
          titleFormat: '{{alertname}}',
        },
      ],
    },
    panels,
  };
}

export const NAMES = Object.keys(DASHBOARDS);
export const textOf = (name) => `${JSON.stringify(dashboard(name), null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(dirname(fileURLToPath(import.meta.url)), 'dashboards');
  mkdirSync(folder, { recursive: true });
  for (const name of NAMES) writeFileSync(join(folder, `${name}.json`), textOf(name));
}
