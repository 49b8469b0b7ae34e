import { storedSessionKey } from '@chat-realtime/client';
import type { ChatWidget } from '../api.ts';
import { openKey } from '../open-key.ts';
import { playQueue, type Queue } from '../queue.ts';
import { readOptions } from './options.ts';
import { findLoader, loadFile } from './place.ts';
import { createWidget } from './widget.ts';

/** Name of the panel's file with the hash of what is in it; the build puts it here. */
declare const PANEL_FILE: string;

function holds(area: 'localStorage' | 'sessionStorage', key: string): boolean {
  try {
    return !!window[area].getItem(key);
  } catch {
    // Storage is blocked, so nothing can have been left in it.
    return false;
  }
}

function begin(): void {
  const present = window.chatWidget as (ChatWidget & Partial<Queue>) | undefined;
  // A second snippet in the same page.
  if (present && !present.q) return;
  const { base, data } = findLoader();
  const widget = createWidget({
    base: base ?? '',
    loadPanel: (baseUrl) => loadFile(base ?? baseUrl, PANEL_FILE, 'panel'),
    left: (what, namespace) =>
      what === 'chat'
        ? // The link of a mail: the panel reads it and opens.
          /chat-return/.test(location.hash) || holds('localStorage', storedSessionKey(namespace))
        : holds('sessionStorage', openKey(namespace)),
  });
  // With a queue that calls `init` itself the attributes are defaults below its options.
  void widget.init(readOptions(data)).catch(() => undefined);
  playQueue(present?.q ?? [], widget);
}

begin();
