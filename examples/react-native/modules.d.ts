// What the example uses of React Native, so that it can be checked here without it.
declare module 'react-native' {
  export const AppState: {
    addEventListener(
      type: 'change',
      listener: (state: 'active' | 'background' | 'inactive') => void,
    ): { remove(): void };
  };
}
declare module '@react-native-async-storage/async-storage' {
  const storage: {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<void>;
    removeItem(key: string): Promise<void>;
    getAllKeys(): Promise<readonly string[]>;
  };
  export default storage;
}
declare module '@react-native-community/netinfo' {
  const netInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };
  export default netInfo;
}
declare module 'react' {
  export function useSyncExternalStore<S>(subscribe: (listener: () => void) => () => void, getSnapshot: () => S): S;
}
