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
/** Repeated after this time if head checks are rare: chat-service discards it after 30 s. */
const REPEAT_MS = 15_000;

export interface PresenceOptions {
  readonly clock: Clock;
  readonly gatewayId: string;
  readonly heartbeatSeconds: number;
  /** The live path is impaired: the gateways may not hear each other either. */
  readonly isImpaired: () => boolean;
  /** The presence that staff see has changed. */
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
  /** Operators online according to chat-service, for when the gateways do not hear each other. */
  #sourceCount = 0;
  /** Presence may have changed. */
  #reportWanted = false;
  /** It must be sent even if nothing changed: presence that is not repeated expires. */
  #reportDue = false;
  /** The operators as last reported to chat-service. */
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

  /**
   * `viewing`: the session that the closed connection was viewing. Others are informed a little later, if it does not
   * return.
   */
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

  /** The chosen statuses, from a control message or a catch-up answer. */
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

  /** Report it once more with the next call. */
  headCheckDue(): void {
    if (this.#board.hasLocal) this.#reportDue = true;
  }

  /**
   * chat-service writes a row per operator for it, so it is sent only when it has changed, and with each head check.
   */
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

  /** That database has other choices, and does not know who is here. */
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
