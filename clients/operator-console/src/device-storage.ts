export type KeyValue = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * What the browser keeps for this page. If the device is full or the browser refuses, values last as long as the page,
 * and the console works on.
 */
export function deviceStorage(open: () => KeyValue): KeyValue {
  const kept = new Map<string, string>();
  let device: KeyValue | null = null;
  try {
    device = open();
  } catch (error) {
    // Refused by the settings of the browser, which throws at the mere name.
    if (!(error instanceof DOMException)) throw error;
  }
  return {
    getItem: (key) => kept.get(key) ?? device?.getItem(key) ?? null,
    setItem(key, value) {
      kept.delete(key);
      try {
        if (device === null) kept.set(key, value);
        else device.setItem(key, value);
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        kept.set(key, value);
      }
    },
    removeItem(key) {
      kept.delete(key);
      device?.removeItem(key);
    },
  };
}
