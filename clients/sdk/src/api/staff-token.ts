/** `expires_at` is optional: without it the token is used until the server refuses it, then asked for by force. */
export interface StaffToken {
  readonly token: string;
  readonly expires_at?: string;
}
/** `force`: the last token was refused; the provider must not answer it again. */
export type StaffTokenProvider = (request: { force: boolean }) => Promise<StaffToken>;
