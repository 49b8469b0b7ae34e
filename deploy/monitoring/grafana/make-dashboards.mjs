// Draws the dashboards: `node deploy/monitoring/grafana/make-dashboards.mjs` writes dashboards/*.json, which Grafana
// provisions. `npm test` fails when a file differs from what this makes, or a panel asks for a metric that is not there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DASHBOARDS } from './panels.mjs';

const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
const HEIGHT = 8;
/** Of a row, so that it has no hole. */
const columnsOf = (count) => (count % 4 !== 0 && count % 3 === 0 ? 3 : 4);

function timeseries(unit, limit) {
  const marked = {
    thresholds: {
      mode: 'absolute',
      steps: [
        { color: 'green', value: null },
        { color: 'red', value: limit },
      ],
    },
  };
  const custom = { lineWidth: 1, fillOpacity: 10, showPoints: 'never' };
  return {
    type: 'timeseries',
    fieldConfig: {
      defaults:
        limit === undefined
          ? { unit, min: 0, custom }
          : { unit, min: 0, ...marked, custom: { ...custom, thresholdsStyle: { mode: 'dashed' } } },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function bars(good) {
  const [no, yes] = good === 1 ? ['red', 'green'] : ['green', 'red'];
  return {
    type: 'state-timeline',
    fieldConfig: {
      defaults: {
        unit: 'short',
        color: { mode: 'thresholds' },
        mappings: [
          {
            type: 'value',
            options: { 0: { text: 'no', color: no, index: 0 }, 1: { text: 'yes', color: yes, index: 1 } },
          },
        ],
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: no, value: null },
            { color: yes, value: 1 },
          ],
        },
        custom: { lineWidth: 0, fillOpacity: 80 },
      },
      overrides: [],
    },
    options: {
      mergeValues: true,
      showValue: 'never',
      rowHeight: 0.8,
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'single' },
    },
  };
}

function panel([title, unit, series, about = '', { good, alert, limit } = {}], id, gridPos) {
  const called = alert === undefined ? '' : `Above the line ${alert} fires`;
  return {
    id,
    title,
    description: [about, called].filter(Boolean).join('. '),
    datasource: DATASOURCE,
    gridPos,
    ...(good === undefined ? timeseries(unit, limit) : bars(good)),
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
    const columns = columnsOf(cells.length);
    const w = 24 / columns;
    cells.forEach((cell, index) => {
      const at = { x: (index % columns) * w, y: y + Math.floor(index / columns) * HEIGHT, w, h: HEIGHT };
      panels.push(panel(cell, panels.length + 1, at));
    });
    y += Math.ceil(cells.length / columns) * HEIGHT;
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
          name: 'Alerts',
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
