import type { PathState } from './instruments.ts';
import type { Words } from './texts.ts';

const SVG = 'http://www.w3.org/2000/svg';
const TRAVEL_MS = 650;
/** A burst is drawn as a stream, not as a cloud. */
const MAX_DOTS_PER_EDGE = 3;
const FLASH_MS = 2_500;

type NodeName = keyof Words['nodes'];
interface Point {
  readonly x: number;
  readonly y: number;
}
const HALF = { x: 54, y: 25 } as const;
const NODES: Readonly<Record<NodeName, Point>> = {
  chat: { x: 62, y: 33 },
  queue: { x: 200, y: 33 },
  dispatcher: { x: 338, y: 33 },
  fanout: { x: 338, y: 130 },
  gateway: { x: 200, y: 130 },
  browser: { x: 62, y: 130 },
};
const EDGES = {
  queued: [right('chat'), left('queue')],
  taken: [right('queue'), left('dispatcher')],
  fanned: [below('dispatcher'), above('fanout')],
  arrived: [left('fanout'), right('gateway')],
  shown: [left('gateway'), right('browser')],
  checked: [below('chat'), above('gateway')],
} as const satisfies Record<string, readonly [Point, Point]>;
export type EdgeName = keyof typeof EDGES;

function right(name: NodeName): Point {
  return { x: NODES[name].x + HALF.x, y: NODES[name].y };
}
function left(name: NodeName): Point {
  return { x: NODES[name].x - HALF.x, y: NODES[name].y };
}
function above(name: NodeName): Point {
  return { x: NODES[name].x, y: NODES[name].y - HALF.y };
}
function below(name: NodeName): Point {
  return { x: NODES[name].x, y: NODES[name].y + HALF.y };
}

function draw(tag: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}

interface DrawnNode {
  readonly group: SVGElement;
  readonly name: SVGElement;
  readonly note: SVGElement;
}

/** The picture of the path: the parts, the lines between them, a dot for each event, and the parts that are down. */
export class PathPicture {
  readonly #svg = draw('svg', { viewBox: '0 0 400 164', role: 'img' });
  readonly #dots = draw('g', { class: 'dots' });
  readonly #nodes = new Map<NodeName, DrawnNode>();
  readonly #edges = new Map<EdgeName, SVGElement>();
  readonly #flying = new Map<EdgeName, number>();
  readonly #cut = draw('text', { x: 131, y: 120, class: 'cut' });
  readonly #check = draw('text', { x: 126, y: 85, class: 'check' });
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #words: Words;
  #last: PathState | null = null;
  #flash: { readonly nodes: readonly NodeName[]; readonly text: 'wiped' | 'dropped'; readonly until: number } | null =
    null;

  constructor(place: HTMLElement, words: Words) {
    this.#words = words;
    for (const [name, [from, to]] of Object.entries(EDGES)) {
      const edge = draw('line', { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: `edge ${name}` });
      this.#edges.set(name as EdgeName, edge);
      this.#svg.append(edge);
    }
    this.#svg.append(this.#check, this.#dots);
    for (const [name, { x, y }] of Object.entries(NODES)) this.#addNode(name as NodeName, x, y);
    this.#svg.append(this.#cut);
    place.replaceChildren(this.#svg);
    this.setWords(words);
  }

  setWords(words: Words): void {
    this.#words = words;
    this.#svg.setAttribute('aria-label', words.picture);
    this.#cut.textContent = words.cut;
    this.#check.textContent = words.check;
    for (const [name, { name: label }] of this.#nodes) label.textContent = words.nodes[name];
    if (this.#last !== null) this.#mark(this.#last);
  }

  /** A dot on each line over which something has passed since. */
  show(state: PathState): void {
    const before = this.#last?.hops;
    this.#last = state;
    if (before !== undefined) {
      for (const edge of ['queued', 'taken', 'fanned', 'arrived', 'checked'] as const) {
        this.send(edge, state.hops[edge] - before[edge]);
      }
      if (state.hops.wiped > before.wiped) this.#lose(['queue', 'fanout'], 'wiped');
      else if (state.hops.dropped > before.dropped) this.#lose(['queue'], 'dropped');
    }
    this.#mark(state);
  }

  send(edge: EdgeName, count: number): void {
    for (let at = 0; at < Math.min(count, MAX_DOTS_PER_EDGE); at += 1) this.#fly(edge, at * 150);
  }

  setCarrier(text: string): void {
    this.#note('browser', text);
  }

  #addNode(name: NodeName, x: number, y: number): void {
    const group = draw('g', { class: 'node', 'data-node': name, transform: `translate(${x} ${y})` });
    const box = draw('rect', { x: -HALF.x, y: -HALF.y, width: HALF.x * 2, height: HALF.y * 2, rx: 12 });
    const label = draw('text', { y: -2, class: 'name' });
    const note = draw('text', { y: 15, class: 'note' });
    group.append(box, label, note);
    this.#nodes.set(name, { group, name: label, note });
    this.#svg.append(group);
  }

  #mark(state: PathState): void {
    const words = this.#words;
    const flash = this.#flash !== null && this.#flash.until > performance.now() ? this.#flash : null;
    const seconds = (ms: number): string => words.backIn(Math.max(1, Math.ceil(ms / 1_000)));
    const { dispatcherBackInMs: dispatcherIn, networkBackInMs: networkIn } = state;
    this.#set('dispatcher', dispatcherIn === null ? 'up' : 'down', dispatcherIn === null ? '' : seconds(dispatcherIn));
    this.#set('queue', 'up', state.waiting > 0 ? words.waiting(state.waiting) : '');
    this.#set('fanout', 'up', '');
    for (const name of flash?.nodes ?? []) this.#set(name, 'lost', flash === null ? '' : words[flash.text]);
    this.#set('browser', networkIn === null ? 'up' : 'down', networkIn === null ? null : seconds(networkIn));
    this.#edges.get('shown')?.setAttribute('data-state', networkIn === null ? 'up' : 'down');
    this.#cut.setAttribute('data-shown', String(networkIn !== null));
    for (const edge of ['taken', 'fanned'] as const) {
      this.#edges.get(edge)?.setAttribute('data-state', dispatcherIn === null ? 'up' : 'down');
    }
  }

  #lose(nodes: readonly NodeName[], text: 'wiped' | 'dropped'): void {
    this.#flash = { nodes, text, until: performance.now() + FLASH_MS };
    setTimeout(() => this.#last !== null && this.#mark(this.#last), FLASH_MS + 50);
    if (text === 'dropped') this.#fall();
  }

  /** `note` null: the present note stays. */
  #set(name: NodeName, state: 'up' | 'down' | 'lost', note: string | null): void {
    this.#nodes.get(name)?.group.setAttribute('data-state', state);
    if (note !== null) this.#note(name, note);
  }

  #note(name: NodeName, text: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined || node.note.textContent === text) return;
    node.note.textContent = text;
    node.group.classList.toggle('noted', text !== '');
  }

  #fly(edge: EdgeName, delayMs: number): void {
    const flying = this.#flying.get(edge) ?? 0;
    if (this.#calm.matches || document.hidden || flying >= MAX_DOTS_PER_EDGE) return;
    this.#flying.set(edge, flying + 1);
    const [from, to] = EDGES[edge];
    this.#animate(
      `dot ${edge}`,
      [
        { transform: at(from), opacity: 0, easing: 'ease-in-out' },
        { transform: at(mix(from, to, 0.15)), opacity: 1, offset: 0.15, easing: 'linear' },
        { transform: at(mix(from, to, 0.85)), opacity: 1, offset: 0.85 },
        { transform: at(to), opacity: 0 },
      ],
      { duration: TRAVEL_MS, delay: delayMs },
      () => this.#flying.set(edge, (this.#flying.get(edge) ?? 1) - 1),
    );
  }

  #fall(): void {
    if (this.#calm.matches) return;
    const from = mix(EDGES.taken[0], EDGES.taken[1], 0.5);
    const frames = [
      { transform: at(from), opacity: 1, easing: 'ease-in' },
      { transform: at({ x: from.x, y: from.y + 70 }), opacity: 0 },
    ];
    this.#animate('dot fallen', frames, { duration: 1_400 }, () => undefined);
  }

  #animate(name: string, frames: Keyframe[], options: KeyframeAnimationOptions, ended: () => void): void {
    const dot = draw('circle', { r: 4.5, class: name });
    this.#dots.append(dot);
    const end = (): void => {
      dot.remove();
      ended();
    };
    dot.animate(frames, { ...options, fill: 'both' }).finished.then(end, end);
  }
}

function mix(from: Point, to: Point, part: number): Point {
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}
function at({ x, y }: Point): string {
  return `translate(${x}px, ${y}px)`;
}
