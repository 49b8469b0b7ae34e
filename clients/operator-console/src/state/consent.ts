import type { ConsentProof, StaffApi } from '@chat-realtime/client/staff';

type Words = NonNullable<ConsentProof['text']>;

/** As the widget showed them to a reader of this language. */
export function shownWords({ text, texts }: Words, locale: string | null): string {
  const language = locale?.slice(0, 2).toLowerCase() ?? 'ru';
  return texts[`consent.${language}`] ?? texts['consent'] ?? text;
}

export async function callbackConsent(api: StaffApi, id: number): Promise<ConsentProof | null> {
  const answer = await api.request<{ consent: ConsentProof | null }>('GET', `/chat/callbacks/${id}/consent`);
  return answer.consent;
}
