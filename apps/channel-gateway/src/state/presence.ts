import type {
  CatchupRequest,
  CatchupResponse,
  ChosenStatus,
  CustomerState,
  PresenceUser,
} from '@chat-realtime/protocol';
import type { StaffPrincipal } from '@chat-realtime/verifier';
import type { Clock } from '../clock.ts';
import type { CatchupDraft, CatchupParticipant } from '../sync/catchup-draft.ts';
import { PresenceBoard, type PresenceMessage } from './presence-board.ts';

const NOBODY = '[]';
/** Said again after this time where head checks are rare: chat-service forgets after 30 s. */
const REPEAT_MS = 15_000;

export interface PresenceOptions {
  readonly clock: Clock;
  readonly gatewayId: string;
  readonly heartbeatSeconds: number;
  /** Events come no faster than the head check finds them: the gateways may not hear each other either. */
  readonly isImpaired: () => boolean;
  /** What staff see of presence has changed. */
  readonly changed: (users: readonly PresenceUser[]) => void;
  /** The number of operators that customers see has changed. */
  readonly countChanged: (operatorsOnline: number) => void;
  /** To the other gateways. */
  readonly publish: (message: PresenceMessage) => void;
  readonly requestCatchup: () => void;
}

/** Presence of the staff: the board of all gateways, and when it is sent to whom. */
export class Presence implements CatchupParticipant {
  readonly #options: PresenceOptions;
  readonly #board: PresenceBoard;
  #countTold = 0;
  #nextHeartbeatAt = 0;
  /** Operators online as chat-service last said, for when the gateways do not hear each other. */
  #sourceCount = 0;
  /** Presence may have changed. */
  #reportWanted = false;
  /** It is to be said even if nothing changed: what is not repeated is forgotten. */
  #reportDue = false;
  /** The operators as chat-service was told of them. */
  #reported = NOBODY;
  #reportedAt: number;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#board = new PresenceBoard(options.gatewayId);
    this.#reportedAt = options.clock.now();
  }

  get users(): readonly PresenceUser[] {
    return this.#board.users;
  }

  operatorsOnline(marks: CustomerState): number {
    const { operatorsOnline } = this.#board;
    return this.#options.isImpaired()
      ? Math.max(operatorsOnline, marks.operators_online, this.#sourceCount)
      : operatorsOnline;
  }

  joined(principal: StaffPrincipal): void {
    this.#board.joined(principal);
    this.#refresh(this.#options.clock.now());
  }

  /** `viewing`: what the connection that is gone looked at. Others are told a little later, if it stays away. */
  left(principal: StaffPrincipal, viewing: number | null, now: number): void {
    this.#board.left(principal, viewing, now);
  }

  /** Sent with the next tick. */
  viewing(principal: StaffPrincipal, sessionId: number | null): void {
    this.#board.viewing(principal, sessionId);
  }

  /** A message of another gateway. */
  receive(message: PresenceMessage): void {
    this.#board.receive(message, this.#options.clock.now());
  }

  /** What operators chose, as a control message or a catch-up answer has it. */
  learnStatuses(statuses: readonly ChosenStatus[]): void {
    if (this.#board.chosen(statuses)) this.#refresh(this.#options.clock.now());
  }

  /** Checks whether something changed, and repeats what must be repeated. */
  tick(now: number): void {
    const published = this.#refresh(now);
    const { heartbeatSeconds, publish, requestCatchup } = this.#options;
    if (published || (now >= this.#nextHeartbeatAt && this.#board.hasLocal)) {
      this.#nextHeartbeatAt = now + heartbeatSeconds * 1_000;
      if (!published) publish(this.#board.message());
    }
    if (!this.#board.hasLocal || now - this.#reportedAt < REPEAT_MS) return;
    this.#reportDue = true;
    requestCatchup();
  }

  /** Say it once more with the next call. */
  headCheckDue(): void {
    if (this.#board.hasLocal) this.#reportDue = true;
  }

  /** A row per operator is written for it, so it goes only when it says something new, and with each head check. */
  compose(draft: CatchupDraft): void {
    if (!this.#reportWanted && !this.#reportDue) return;
    const report = this.#board.report();
    const operators = JSON.stringify(report.operators);
    const due = this.#reportDue || operators !== this.#reported;
    this.#reportWanted = false;
    this.#reportDue = false;
    this.#reported = operators;
    if (!due) return;
    this.#reportedAt = this.#options.clock.now();
    draft.report(report);
  }

  apply(_request: CatchupRequest, response: CatchupResponse): void {
    if (response.operator_statuses !== undefined) this.learnStatuses(response.operator_statuses);
    if (response.operators_online !== undefined) this.#sourceCount = response.operators_online;
    if (this.#reportWanted || this.#reportDue) this.#options.requestCatchup();
  }

  failed(request: CatchupRequest): void {
    if (request.presence !== undefined) this.#reportDue = true;
  }

  /** It has other choices, and does not know who is here. */
  databaseChanged(): void {
    this.#board.forgetChosen();
    this.#reportDue = true;
  }

  #refresh(now: number): boolean {
    if (!this.#board.refresh(now)) return false;
    const { changed, countChanged, publish, requestCatchup } = this.#options;
    const { users, operatorsOnline } = this.#board;
    changed(users);
    if (operatorsOnline !== this.#countTold) {
      this.#countTold = operatorsOnline;
      countChanged(operatorsOnline);
    }
    this.#reportWanted = true;
    requestCatchup();
    publish(this.#board.message());
    return true;
  }
}
