import { storedSessionKey } from '@chat-realtime/client';
import type { ChatWidget } from '../api.ts';
import type { PanelModule } from '../bridge.ts';
import { openKey } from '../open-key.ts';
import { playQueue, type Queue } from '../queue.ts';
import { attributeOptions } from './options.ts';
import { createWidget } from './widget.ts';

/** Name of the panel's file with the hash of what is in it; the build puts it here. */
declare const PANEL_FILE: string;

const FOLDER = '/widget/v1/';

function holds(area: 'localStorage' | 'sessionStorage', key: string): boolean {
  try {
    return window[area].getItem(key) !== null;
  } catch {
    // Storage is blocked, so nothing can have been left in it.
    return false;
  }
}

function begin(): void {
  const script = document.currentScript as HTMLScriptElement | null;
  const present = window.chatWidget as (ChatWidget & Partial<Queue>) | undefined;
  // A second snippet in the same page.
  if (present !== undefined && present.q === undefined) return;
  const address = script?.src ?? location.href;
  const base = address.slice(0, address.lastIndexOf(FOLDER) >= 0 ? address.lastIndexOf(FOLDER) : undefined);
  const widget = createWidget({
    base,
    loadPanel: () => import(/* @vite-ignore */ `${base}${FOLDER}${PANEL_FILE}`) as Promise<PanelModule>,
    hasStoredChat: (namespace) => holds('localStorage', storedSessionKey(namespace)),
    wasOpen: (namespace) => holds('sessionStorage', openKey(namespace)),
    removeGlobal: () => {
      if (window.chatWidget === widget) delete window.chatWidget;
    },
    restoreGlobal: (current) => {
      window.chatWidget = current;
    },
  });
  window.chatWidget = widget;
  const calls = present?.q ?? [];
  const options = attributeOptions(script?.dataset ?? {});
  // With a queue that begins by itself the attributes are defaults under what it says.
  void widget.init(options);
  playQueue(calls, widget);
}

begin();
