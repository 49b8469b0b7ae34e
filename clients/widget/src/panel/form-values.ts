/** `keep`: ways to continue the chat elsewhere. */
export type View = 'chat' | 'callback' | 'keep';

/** What is written into the form for a callback. */
export interface CallbackValues {
  readonly later: boolean;
  readonly time: string;
  readonly comment: string;
}

export type Answers = Readonly<Record<string, string | boolean>>;

/** What is written into the questions before a chat. */
export interface PrechatValues {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  /** To the site's own questions, by name. */
  readonly answers: Answers;
  readonly consent: boolean;
}
