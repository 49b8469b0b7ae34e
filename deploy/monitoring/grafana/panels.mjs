// What the dashboards show, a line for each panel. make-dashboards.mjs draws them.

const quantile = (q, metric, by = '') =>
  `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`;
const rate = (metric, by = '') => `sum ${by === '' ? '' : `by (${by}) `}(rate(${metric}[$__rate_interval]))`;

/** The same ones over the whole picture: the busiest of each moment would be another line each. */
const BUSIEST =
  'topk(6, sum by (route) (increase(chat_http_request_duration_seconds_sum{route!="/metrics"}[$__range] @ end())))';

// Units as Grafana calls them: mps, eps, reqps and cps are messages, events, requests and counts a second.
/** Of a figure that is 1 or 0, shown as bars of time: what is good. */
const GOOD_IS_1 = { good: 1 };
const GOOD_IS_0 = { good: 0 };

/**
 * What a panel shows: `[title, unit, { legend: expression }, description?, more?]`. With `alert` and `limit` there is a line
 * where that alert fires; with `good` bars of time.
 */
export const DASHBOARDS = {
  flow: {
    title: 'Chat · Flow',
    rows: {
      'Does the chat work?': [
        [
          'Probe: post to frame',
          's',
          { '{{transport}} {{role}}': quantile(0.99, 'chat_probe_seconds', 'transport, role') },
          'p99 of a message posted and read through the edge, as a customer and as an operator: this is what “the chat works” means',
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
          { '{{kind}}': 'sum by (kind) (chat_active_connections)' },
          'active_connections: who is connected now; by transport on “Chat · Gateway”',
        ],
        [
          'Dispatch errors',
          'cps',
          { '{{reason}}': rate('chat_dispatch_errors_total', 'reason') },
          'dispatch_errors: attempts that failed to hand an event on; zero in ordinary operation',
          { alert: 'ChatDispatchErrors', limit: 0.1 },
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
          'Objective: 99 % within 1 s, by which ChatDeliveryBurnRate calls',
          { limit: 1 },
        ],
      ],
      'One event, hop by hop': [
        ['1 · Messages stored', 'mps', { '{{sender}}': rate('chat_messages_committed_total', 'sender') }],
        ['2 · Waiting for the broker', 'short', { events: 'max(chat_outbox_pending)' }],
        [
          '2 · The oldest of them',
          's',
          { age: 'max(chat_outbox_oldest_age_seconds)' },
          '',
          { alert: 'ChatOutboxOld', limit: 15 },
        ],
        ['3 · Given to the broker', 'eps', { '{{result}}': rate('chat_relay_published_total', 'result') }],
        ['4 · Broker confirms a batch', 's', { p99: quantile(0.99, 'chat_relay_confirm_seconds') }],
        ['5 · Dispatched', 'eps', { '{{result}}: {{kind}}': rate('chat_dispatch_events_total', 'result, kind') }],
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
        ['8 · Delivery marks taken', 'cps', { accepted: rate('chat_acks_sent_total') }],
      ],
    },
  },
  gateway: {
    title: 'Chat · Gateway',
    rows: {
      Connections: [
        ['Open, by gateway', 'short', { '{{instance}}': 'sum by (instance) (chat_active_connections)' }],
        [
          'Open, by transport',
          'short',
          { '{{transport}} {{kind}}': 'sum by (transport, kind) (chat_active_connections{kind!="unauthenticated"})' },
        ],
        [
          'Made',
          'cps',
          { '{{transport}}: {{result}}': rate('chat_handshakes_total', 'transport, result') },
          'Each poll is one',
        ],
        [
          'Ended, by close code',
          'cps',
          { '{{code}}': rate('chat_disconnects_total', 'code') },
          'Codes: docs/protocol/SPEC.md',
        ],
      ],
      'Readers and limits': [
        ['Refused by a rate', 'cps', { '{{kind}}': rate('chat_rate_limited_total', 'kind') }],
        ['Queued for slow readers', 'bytes', { '{{instance}}': 'sum by (instance) (chat_send_buffer_bytes)' }],
        ['Shed for reading too slowly', 'cps', { shed: rate('chat_slow_consumers_total') }],
        [
          'Limits hold over all gateways',
          'short',
          { '{{instance}}': 'chat_limit_mode' },
          'Red: for this gateway alone, since Redis is away',
          GOOD_IS_1,
        ],
        ['Sessions followed', 'short', { '{{instance}}': 'chat_sessions_followed' }],
        ['Delivery marks waiting', 'short', { '{{instance}}': 'chat_acks_pending' }],
      ],
    },
  },
  correctness: {
    title: 'Chat · Correctness',
    rows: {
      'What the live path lost, and who found it': [
        [
          'Sessions found behind by a head check',
          'cps',
          { behind: rate('chat_headcheck_behind_total') },
          'Zero while the live path is well',
          { alert: 'ChatLivePathLoss', limit: 0.05 },
        ],
        ['Holes in a sequence', 'cps', { holes: rate('chat_gaps_detected_total') }],
        ['Events held behind a hole', 'short', { '{{instance}}': 'chat_held_events' }],
        [
          'Repeats dropped',
          'cps',
          {
            duplicates: rate('chat_duplicates_dropped_total'),
            'of another session': rate('chat_foreign_frames_dropped_total'),
          },
          'Repeats are ordinary after a redelivery; frames of another session never are',
        ],
        [
          'Live path impaired',
          'short',
          { '{{instance}}': 'chat_live_path_impaired' },
          'Red: events come no faster than the head check finds them',
          GOOD_IS_0,
        ],
        ['Fan-out lost and back', 'cps', { '{{instance}}': rate('chat_redis_resubscribes_total', 'instance') }],
      ],
      'Catch-up': [
        ['Calls to chat-service', 'reqps', { '{{result}}': rate('chat_catchup_requests_total', 'result') }],
        ['One call', 's', { p99: quantile(0.99, 'chat_catchup_duration_seconds') }],
        ['One head check', 's', { p99: quantile(0.99, 'chat_headcheck_duration_seconds') }],
        ['Events in a page of a resume', 'short', { p99: quantile(0.99, 'chat_resume_events') }],
      ],
      'One leader, one feed': [
        ['Relay leaders', 'short', { leaders: 'sum(chat_relay_leader)' }, 'Always 1'],
        ['Feed lag', 's', { lag: 'max(chat_feed_lag_seconds)' }, '', { alert: 'ChatFeedLag', limit: 10 }],
        [
          'Feed shown, by gateway',
          'short',
          { '{{instance}}': 'chat_feed_cursor > 0' },
          'A gateway without an operator shows none',
        ],
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
        [
          'Longest wait',
          's',
          { wait: 'max(chat_desk_oldest_waiting_seconds)' },
          '',
          { alert: 'ChatCustomersWaiting', limit: 1800 },
        ],
        ['Unread, open', 'short', { sessions: 'max(chat_desk_unread_sessions)' }],
        ['Callbacks past their time', 'short', { callbacks: 'max(chat_desk_callbacks_due)' }],
      ],
      'Told to the site': [
        ['Alerts raised', 'cps', { '{{reason}}': rate('chat_alerts_raised_total', 'reason') }],
        ['Webhook attempts', 'cps', { '{{result}}': rate('chat_webhook_deliveries_total', 'result') }],
        ['Webhooks waiting', 'short', { waiting: 'max(chat_webhook_deliveries_pending)' }],
        [
          'Oldest of them',
          's',
          { age: 'max(chat_webhook_oldest_pending_seconds)' },
          '',
          { alert: 'ChatWebhookNotTaken', limit: 900 },
        ],
      ],
      'Signing in': [
        ['Operators', 'cps', { '{{event}}: {{result}}': rate('chat_auth_events_total', 'event, result') }],
      ],
    },
  },
  service: {
    title: 'Chat · Services',
    rows: {
      'Up, and what they need': [
        ['Up', 'short', { '{{instance}}': 'up{job="chat"}' }, '', GOOD_IS_1],
        ['Redis connected', 'short', { '{{instance}}': 'chat_redis_connected' }, '', GOOD_IS_1],
        ['RabbitMQ connected', 'short', { '{{instance}}': 'chat_rabbitmq_connected' }, '', GOOD_IS_1],
        [
          'Disk free, and the floor',
          'bytes',
          { 'free {{instance}}': 'chat_disk_free_bytes', 'floor {{instance}}': 'chat_disk_floor_bytes' },
        ],
      ],
      'What they use': [
        ['Processor', 'percentunit', { '{{instance}}': rate('chat_process_cpu_seconds_total', 'instance') }],
        ['Memory', 'bytes', { '{{instance}}': 'chat_process_resident_memory_bytes' }],
        [
          'Event loop, p99',
          's',
          { '{{instance}}': 'chat_nodejs_eventloop_lag_p99_seconds' },
          '',
          { alert: 'ChatEventLoopLag', limit: 0.2 },
        ],
        ['Open files', 'short', { '{{instance}}': 'chat_process_open_fds' }],
      ],
      Requests: [
        ['Answers, by code', 'reqps', { '{{code}}': rate('chat_http_requests_total', 'code') }],
        [
          'Busiest routes, p99',
          's',
          { '{{route}}': `${quantile(0.99, 'chat_http_request_duration_seconds', 'route')} and on (route) ${BUSIEST}` },
          'Those that took most time altogether',
        ],
        ['A post waits for its session', 's', { p99: quantile(0.99, 'chat_post_lock_wait_seconds') }],
        [
          'Sweeps that failed',
          'cps',
          { all: rate('chat_sweep_failures_total'), '{{sweep}}': `${rate('chat_sweep_failures_total', 'sweep')} > 0` },
        ],
      ],
    },
  },
};
