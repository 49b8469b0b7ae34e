import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import type uPlot from 'uplot';
import type { DrawnDashboard } from '../../support/monitoring/grafana.ts';

declare global {
  interface Window {
    /** By its script. */
    readonly uPlot: typeof uPlot;
  }
}

const require = createRequire(import.meta.url);
const file = (path: string): string => readFileSync(require.resolve(`uplot/dist/${path}`), 'utf8');

const CSS = `
  body { margin: 0; padding: 12px; width: 1416px; background: #f4f5f5; color: #24292e; font: 13px Inter, system-ui, sans-serif }
  h1 { margin: 0 0 10px; font-size: 18px; font-weight: 600 }
  h2 { margin: 12px 0 8px; font-size: 14px; font-weight: 600 }
  .row { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px }
  .panel { background: #fff; border: 1px solid #e0e2e4; border-radius: 3px; padding: 8px; min-width: 0 }
  .panel h3 { margin: 0 0 4px; font-size: 13px; font-weight: 600 }
  .legend { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11.5px; padding: 4px 4px 0; line-height: 1.3 }
  .legend i { display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; border-radius: 1px }
  .empty { height: 176px; display: grid; place-items: center; color: #6e7781 }
  .states { padding: 10px 6px 0; min-height: 166px }
  .state { display: grid; grid-template-columns: 118px 1fr; align-items: center; font-size: 11.5px; margin-bottom: 5px }
  .state > div { position: relative; height: 18px; background: #f4f5f5 }
  .state > div > b { position: absolute; top: 0; bottom: 0 }
  .alert i { background: #e02f44 }`;

/** Runs in the page: every panel where the dashboard places it, by the library that Grafana draws with. */
function render({ dashboard, css }: { dashboard: DrawnDashboard; css: string }): void {
  const Plot = window.uPlot;
  const COLOURS = ['#3871dc', '#e0752d', '#37872d', '#8f3bb8', '#ba9b00', '#0a7e8c', '#c4162a', '#7b5f47', '#5b6bab'];
  const THRESHOLDS: Record<string, string> = { red: '#c4162a', orange: '#e0752d', green: '#37872d' };
  const RATES: Record<string, string> = { cps: 'c/s', eps: 'evt/s', mps: 'msg/s', reqps: 'req/s' };
  const scaled = (value: number, step: number, units: readonly string[]): string => {
    let left = value;
    let place = 0;
    while (Math.abs(left) >= step && place < units.length - 1) {
      left /= step;
      place += 1;
    }
    return `${Number(left.toPrecision(3))} ${units[place]}`.trim();
  };
  const said = (value: number, unit: string): string => {
    if (value === 0) return unit === 's' ? '0 s' : '0';
    if (unit === 's') {
      if (value < 0.001) return `${Number((value * 1e6).toPrecision(2))} µs`;
      if (value < 1) return `${Number((value * 1e3).toPrecision(3))} ms`;
      if (value < 120) return `${Number(value.toPrecision(3))} s`;
      return value < 7_200
        ? `${Number((value / 60).toPrecision(3))} min`
        : `${Number((value / 3_600).toPrecision(3))} h`;
    }
    if (unit === 'bytes') return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
    if (unit === 'percentunit') return `${Number((value * 100).toPrecision(3))} %`;
    const number = scaled(value, 1000, ['', 'K', 'M']);
    return unit in RATES ? `${number} ${RATES[unit]}` : number;
  };
  const element = (tag: string, name: string, text = ''): HTMLElement => {
    const made = document.createElement(tag);
    if (name !== '') made.className = name;
    made.textContent = text;
    return made;
  };

  document.head.append(Object.assign(document.createElement('style'), { textContent: css }));
  document.body.append(element('h1', '', dashboard.title));
  let row: HTMLElement | null = null;
  for (const { panel, lines } of dashboard.panels) {
    if (panel.type === 'row' || row === null) {
      if (panel.type === 'row') document.body.append(element('h2', '', panel.title));
      row = element('div', 'row');
      document.body.append(row);
      if (panel.type === 'row') continue;
    }
    const { unit = 'short', min, max, thresholds } = panel.fieldConfig?.defaults ?? {};
    const cell = element('div', 'panel');
    cell.style.gridColumn = `span ${panel.gridPos.w}`;
    cell.append(element('h3', '', panel.title));
    row.append(cell);
    const limits = (thresholds?.steps ?? []).flatMap(({ color, value }) => (value === null ? [] : [{ color, value }]));
    if (lines.length === 0) {
      cell.append(element('div', 'empty', 'No data'));
      continue;
    }
    if (panel.type === 'state-timeline') {
      const bad = limits[0]?.color === 'red' ? 1 : 0;
      const states = element('div', 'states');
      const { times } = dashboard;
      for (const { name, values } of lines) {
        const state = element('div', 'state', name);
        const bar = element('div', '');
        for (const [index, value] of values.entries()) {
          if (value === null) continue;
          const part = element('b', '');
          part.style.left = `${(100 * index) / times.length}%`;
          part.style.width = `${100 / times.length + 0.1}%`;
          part.style.background = value === bad ? '#e02f44' : '#56a64b';
          bar.append(part);
        }
        state.append(bar);
        states.append(state);
      }
      cell.append(states);
      const meaning = element('div', 'legend');
      for (const [text, colour] of [
        [bad === 1 ? 'no' : 'yes', '#56a64b'],
        [bad === 1 ? 'yes' : 'no', '#e02f44'],
      ] as const) {
        const one = element('span', '', text);
        const mark = document.createElement('i');
        mark.style.background = colour;
        one.prepend(mark);
        meaning.append(one);
      }
      cell.append(meaning);
      continue;
    }
    const place = element('div', '');
    cell.append(place);
    const highest = Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
    const plot: uPlot.Options = {
      width: cell.clientWidth - 16,
      height: 176,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true },
        // A limit far above the lines is not drawn, as in Grafana: the lines would lie flat.
        y: { range: () => [min ?? Math.min(0, highest), max ?? (highest === 0 ? 1 : highest * 1.08)] },
      },
      axes: [
        {
          stroke: '#57606a',
          font: '11px Inter, sans-serif',
          grid: { stroke: '#edeeef', width: 1 },
          ticks: { show: false },
          size: 22,
          values: (_, times) => times.map((time) => new Date(time * 1000).toISOString().slice(11, 16)),
        },
        {
          stroke: '#57606a',
          font: '11px Inter, sans-serif',
          grid: { stroke: '#edeeef', width: 1 },
          ticks: { show: false },
          size: 62,
          values: (_, values) => values.map((value) => said(value, unit)),
        },
      ],
      series: [
        {},
        ...lines.map(({ name }, index) => ({
          label: name,
          stroke: COLOURS[index % COLOURS.length] ?? '#000',
          width: 1.5,
          points: { show: false },
        })),
      ],
      hooks: {
        drawClear: [
          (self) => {
            const { left, top, width, height } = self.bbox;
            // Once, however many call at the same time.
            self.ctx.save();
            self.ctx.beginPath();
            for (const { from, to } of dashboard.alerts) {
              const begin = self.valToPos(from, 'x', true);
              self.ctx.rect(begin, top, Math.min(self.valToPos(to, 'x', true), left + width) - begin, height);
            }
            self.ctx.fillStyle = 'rgba(224, 47, 68, 0.12)';
            self.ctx.fill();
            self.ctx.restore();
          },
        ],
        draw: [
          (self) => {
            const { left, top, width, height } = self.bbox;
            for (const { color, value } of limits) {
              const at = self.valToPos(value, 'y', true);
              if (at < top || at > top + height) continue;
              self.ctx.save();
              self.ctx.strokeStyle = THRESHOLDS[color] ?? color;
              self.ctx.setLineDash([6, 5]);
              self.ctx.beginPath();
              self.ctx.moveTo(left, at);
              self.ctx.lineTo(left + width, at);
              self.ctx.stroke();
              self.ctx.restore();
            }
          },
        ],
      },
    };
    const data = [[...dashboard.times], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
    new Plot(plot, data, place);
    const names = element('div', 'legend');
    for (const [index, { name }] of lines.entries()) {
      const one = element('span', '', name);
      const mark = document.createElement('i');
      mark.style.background = COLOURS[index % COLOURS.length] ?? '#000';
      one.prepend(mark);
      names.append(one);
    }
    cell.append(names);
  }
  const alerts = [...new Set(dashboard.alerts.map(({ name }) => name))];
  if (alerts.length > 0) {
    const told = element('p', 'alert', ` ${alerts.join(', ')}`);
    const mark = document.createElement('i');
    mark.style.cssText =
      'display:inline-block;width:12px;height:12px;opacity:.3;vertical-align:middle;margin-right:5px';
    told.prepend(mark);
    document.querySelector('h1')?.after(told);
  }
}

/** A dashboard with the data of a Prometheus. */
export async function showDashboard(page: Page, dashboard: DrawnDashboard): Promise<void> {
  await page.setContent('<!doctype html><html lang="en"><body></body></html>');
  await page.addStyleTag({ content: file('uPlot.min.css') });
  await page.addScriptTag({ content: file('uPlot.iife.min.js') });
  await page.evaluate(render, { dashboard, css: CSS });
}
