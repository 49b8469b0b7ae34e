import type { Score } from './score.ts';
import type { Words } from './texts.ts';

export type ObserverName = 'customer' | 'operator' | 'listener';
const OBSERVERS: readonly ObserverName[] = ['customer', 'operator', 'listener'];
const ROWS = ['stored', 'shown', 'lost', 'doubled', 'disordered', 'ms'] as const;
type RowName = (typeof ROWS)[number];
const FAULTS: ReadonlySet<RowName> = new Set(['lost', 'doubled', 'disordered']);

/** Null: this observer cannot be seen now. */
export type Scores = Readonly<Record<ObserverName, Score | null>>;

/** The live counters. */
export class ScoreTable {
  readonly #cells = new Map<string, HTMLTableCellElement>();
  readonly #heads = new Map<RowName, HTMLTableCellElement>();

  constructor(body: HTMLElement, words: Words) {
    for (const row of ROWS) {
      const line = document.createElement('tr');
      line.dataset['row'] = row;
      const head = document.createElement('th');
      head.scope = 'row';
      this.#heads.set(row, head);
      line.append(head);
      for (const observer of OBSERVERS) {
        const cell = document.createElement('td');
        cell.dataset['cell'] = `${observer}-${row}`;
        cell.classList.toggle('naive', observer === 'listener');
        this.#cells.set(`${observer}-${row}`, cell);
        line.append(cell);
      }
      body.append(line);
    }
    this.setWords(words);
  }

  setWords(words: Words): void {
    for (const [row, head] of this.#heads) {
      head.textContent = words.rows[row];
      if (row === 'ms') head.title = words.msHint;
    }
  }

  show(scores: Scores, words: Words): void {
    for (const observer of OBSERVERS) {
      const score = scores[observer];
      for (const row of ROWS) this.#write(`${observer}-${row}`, row, score, words);
    }
  }

  #write(key: string, row: RowName, score: Score | null, words: Words): void {
    const cell = this.#cells.get(key);
    if (cell === undefined) return;
    const text = score === null ? '—' : valueOf(row, score);
    if (cell.textContent !== text) cell.textContent = text;
    cell.title = score === null ? words.notOpen : '';
    if (FAULTS.has(row)) cell.dataset['verdict'] = score === null ? 'none' : text === '0' ? 'good' : 'bad';
  }
}

function valueOf(row: RowName, score: Score): string {
  if (row !== 'ms') return String(score[row]);
  const { medianMs, lastMs } = score;
  return medianMs === null || lastMs === null ? '—' : `${medianMs} · ${lastMs}`;
}
