/**
 * The page `/try/`: a customer, a console and everything between them on one screen, with buttons that break the parts.
 *
 * A message is typed in the pane of the customer (`customer/`, a page of its own with a simulated firewall) or in the
 * console's. `instruments.ts` listens to the server's own measurements, and `score.ts` compares what each side was shown
 * with what the database has: nothing may be missing or doubled.
 *
 * Start with `score.ts`, then this file, which draws it.
 */
import type { Carrier, Ceiling } from './customer/api.ts';
import {
  EXPERIMENTS,
  type ExperimentName,
  followPath,
  listen,
  type PathState,
  type Progress,
  runExperiment,
} from './instruments.ts';
import { ShownMessages } from './shown-messages.ts';
import { CustomerPane, OperatorPane } from './panes.ts';
import { PathPicture } from './path.ts';
import { score } from './score.ts';
import { type Scores, ScoreTable } from './table.ts';
import { ENGLISH, type Language, WORDS } from './texts.ts';
import { Truth } from './truth.ts';

const TICK_MS = 400;
const LANGUAGE = 'chat-try:language';

const russian = new Map<string, string>();
let language: Language = 'ru';

function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** The Russian text of the page itself, remembered when it is replaced for the first time. */
function translated(key: string, own: string): string {
  if (!russian.has(key)) russian.set(key, own);
  return language === 'ru' ? (russian.get(key) ?? own) : (ENGLISH[key] ?? own);
}

function showLanguage(next: Language): void {
  language = next;
  document.documentElement.lang = next;
  document.title = WORDS[next].pageTitle;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = translated(element.dataset['text'] ?? '', element.textContent);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    const key = element.dataset['label'] ?? '';
    element.setAttribute('aria-label', translated(key, element.getAttribute('aria-label') ?? ''));
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-title]')) {
    element.title = translated(element.dataset['title'] ?? '', element.title);
  }
  const other = find('language');
  other.textContent = WORDS[next].other;
  other.lang = next === 'ru' ? 'en' : 'ru';
}

function wantedLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(LANGUAGE);
  if (asked === 'ru' || asked === 'en') return asked;
  return navigator.languages.some((name) => name.toLowerCase().startsWith('ru')) ? 'ru' : 'en';
}

function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Everything of one visit, once both panes are there. */
class Bench {
  readonly #customer: CustomerPane;
  readonly #operator: OperatorPane;
  readonly #truth: Truth;
  readonly #listener = new ShownMessages();
  readonly #listenerSince = Date.now();
  readonly #table = new ScoreTable(find('score'), WORDS[language]);
  readonly #picture: PathPicture;
  /** Experiments that the server has started and not ended, by number. */
  readonly #runs = new Map<number, HTMLButtonElement>();
  #state: PathState | null = null;
  #shownBefore = 0;
  #pressed = false;

  constructor(customer: CustomerPane, operator: OperatorPane, picture: PathPicture) {
    this.#customer = customer;
    this.#operator = operator;
    this.#picture = picture;
    const { sessionId } = customer;
    this.#truth = new Truth(sessionId, () => operator.token());
    followPath(sessionId, (state) => this.#follow(state));
    listen(sessionId, (id) => this.#listener.receive(id, Date.now()));
    this.#wireButtons(sessionId);
    void this.#run();
  }

  setLanguage(): void {
    const words = WORDS[language];
    this.#table.setWords(words);
    this.#picture.setWords(words);
    this.#customer.setLanguage(language);
    void this.#operator.setLanguage(language);
    if (this.#state !== null) this.#follow(this.#state);
    // Not left to the next tick, which may be waiting for the server.
    this.#show();
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#tick();
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  async #tick(): Promise<void> {
    this.#customer.eye.attach();
    this.#operator.eye.attach();
    // While the server restarts, the last known state is shown until it answers again.
    await this.#truth.read().catch(() => undefined);
    this.#show();
  }

  #show(): void {
    const { history } = this.#truth;
    const now = Date.now();
    const { ledger: customer } = this.#customer.eye;
    const { eye } = this.#operator;
    for (const each of [this.#customer.eye, eye]) {
      each.loadOlder((lowest) => history.some(({ id }) => id < lowest && !each.ledger.seen.has(id)));
    }
    const scores: Scores = {
      customer: score(history, customer, 0, now),
      operator: eye.open ? score(history, eye.ledger, 0, now) : null,
      listener: score(history, this.#listener, this.#listenerSince, now),
    };
    this.#picture.send('shown', Math.max(0, customer.seen.size - this.#shownBefore));
    this.#shownBefore = customer.seen.size;
    this.#table.show(scores, WORDS[language]);
    say(find('verdict'), this.#verdict(scores));
    this.#showCarrier(this.#customer.frame.carrier());
  }

  #verdict({ customer, operator, listener }: Scores): string {
    const words = WORDS[language];
    if (!this.#pressed || customer === null) return words.verdictBefore;
    const served = [customer, ...(operator === null ? [] : [operator])];
    const faults = served.reduce((sum, { lost, doubled, disordered }) => sum + lost + doubled + disordered, 0);
    find('verdict').dataset['verdict'] = faults > 0 ? 'bad' : 'good';
    if (faults > 0) return words.verdictBad;
    const underway = Math.max(...served.map((each) => each.underway));
    if (underway > 0) return words.verdictUnderway(underway);
    return words.verdictClean(customer.stored, listener?.lost ?? 0, listener?.doubled ?? 0);
  }

  #showCarrier(carrier: Carrier): void {
    const down = this.#state?.networkBackInMs ?? null;
    const text = WORDS[language].carriers[down === null ? carrier : 'none'];
    const chip = find('transport');
    chip.dataset['carrier'] = down === null ? carrier : 'none';
    say(chip, text);
    if (down === null) this.#picture.setCarrier(text);
  }

  #follow(state: PathState): void {
    const words = WORDS[language];
    this.#state = state;
    this.#picture.show(state);
    const { networkBackInMs, dispatcherBackInMs } = state;
    const text =
      networkBackInMs !== null ? words.networkDown : dispatcherBackInMs !== null ? words.dispatcherDown : words.allWell;
    const line = find('state');
    line.dataset['state'] = text === words.allWell ? 'up' : 'down';
    say(line, text);
    this.#endRuns(state.experiments);
  }

  #endRuns({ last, running, failed }: Progress): void {
    for (const [run, button] of this.#runs) {
      // This report is from before the run was started.
      if (run > last || running.includes(run)) continue;
      this.#runs.delete(run);
      button.removeAttribute('aria-disabled');
      if (failed.includes(run)) fail({ what: 'failedExperiment' });
    }
  }

  #wireButtons(sessionId: number): void {
    for (const name of EXPERIMENTS) {
      const button = document.querySelector<HTMLButtonElement>(`[data-experiment="${name}"]`);
      button?.addEventListener('click', () => void this.#experiment(name, sessionId, button));
    }
    const lines = document.querySelectorAll<HTMLButtonElement>('[data-transport]');
    for (const line of lines) {
      line.addEventListener('click', () => {
        this.#customer.frame.setCeiling(line.dataset['transport'] as Ceiling);
        for (const each of lines) each.setAttribute('aria-pressed', String(each === line));
      });
    }
  }

  /** One of a kind at a time; different ones may run together. */
  async #experiment(name: ExperimentName, sessionId: number, button: HTMLButtonElement): Promise<void> {
    if (button.getAttribute('aria-disabled') === 'true') return;
    this.#pressed = true;
    button.setAttribute('aria-disabled', 'true');
    try {
      this.#runs.set(await runExperiment(name, sessionId, language), button);
    } catch (error) {
      fail({ what: 'failedExperiment', error });
      button.removeAttribute('aria-disabled');
    }
  }
}

interface Failure {
  readonly what: 'failedToBegin' | 'failedExperiment';
  readonly error?: unknown;
}
let failure: Failure | null = null;

function fail(next: Failure): void {
  failure = next;
  showFailure();
}

function showFailure(): void {
  if (failure === null) return;
  const { what, error } = failure;
  const reason = error === undefined ? '' : ` (${error instanceof Error ? error.message : String(error)})`;
  const place = find('failure');
  say(place, WORDS[language][what] + reason);
  place.hidden = false;
}

async function begin(): Promise<void> {
  showLanguage(wantedLanguage());
  const first = language;
  const picture = new PathPicture(find('path'), WORDS[language]);
  let bench: Bench | null = null;
  find('language').addEventListener('click', () => {
    showLanguage(language === 'ru' ? 'en' : 'ru');
    localStorage.setItem(LANGUAGE, language);
    picture.setWords(WORDS[language]);
    showFailure();
    bench?.setLanguage();
  });
  const operator = new OperatorPane(find<HTMLIFrameElement>('operator'));
  const [name, customer] = await Promise.all([
    operator.signIn(),
    CustomerPane.open(find<HTMLIFrameElement>('customer'), language),
  ]);
  find('operator-name').textContent = name;
  await operator.open(customer.sessionId, language);
  bench = new Bench(customer, operator, picture);
  // Chosen while the panes were opening, which started in the other language.
  if (language !== first) bench.setLanguage();
  // The panes took the focus while they opened.
  window.focus();
  find('stage').setAttribute('aria-busy', 'false');
}

begin().catch((error: unknown) => fail({ what: 'failedToBegin', error }));
