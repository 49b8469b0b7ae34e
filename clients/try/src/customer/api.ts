import type { ChatWidget } from '@chat-realtime/widget';

/** The best transport that gets through. */
export type Ceiling = 'websocket' | 'sse' | 'poll';
export type Carrier = Ceiling | 'rest' | 'none';

/** What the page asks of the frame in which the customer sits. */
export interface CustomerFrame {
  readonly widget: Promise<ChatWidget>;
  readonly setLanguage: (language: 'ru' | 'en') => void;
  readonly setCeiling: (ceiling: Ceiling) => void;
  readonly carrier: () => Carrier;
}

declare global {
  interface Window {
    customerFrame?: CustomerFrame;
  }
}
