/** `expires_at` is optional: without it the token is used until the server refuses it, then asked for by force. */
export interface StaffToken {
  readonly token: string;
  readonly expires_at?: string;
  /** Of what is written to a site that keeps its own chat, such as its token against forged requests. */
  readonly headers?: Readonly<Record<string, string>>;
}
/** `force`: the last token was refused; the provider must not answer it again. */
export type StaffTokenProvider = (request: { force: boolean }) => Promise<StaffToken>;
