// The chat in a React Native app: storage, app state and network come from the platform, everything else is the same.
// randomUUID needs a polyfill on platforms without crypto, such as react-native-get-random-values.
import NetInfo from '@react-native-community/netinfo';
import AsyncStorage from '@react-native-async-storage/async-storage';
import { type ChatClient, type ChatState, createChatClient } from '@chat-realtime/client';
import { useSyncExternalStore } from 'react';
import { AppState } from 'react-native';

export const chat: ChatClient = createChatClient({
  baseUrl: 'https://chat.example.com',
  // An app is alone on its device: there are no other tabs.
  tabs: false,
  environment: {
    storage: {
      get: (key) => AsyncStorage.getItem(key),
      set: (key, value) => AsyncStorage.setItem(key, value),
      remove: (key) => AsyncStorage.removeItem(key),
      keys: () => AsyncStorage.getAllKeys(),
    },
    onLifecycle(listener) {
      const app = AppState.addEventListener('change', (state) => {
        // In the background the socket is given up; coming back resumes at the cursor, a month later too.
        if (state === 'active') listener('visible');
        if (state === 'background') listener('frozen');
      });
      let connected: boolean | null = null;
      const forget = NetInfo.addEventListener(({ isConnected }) => {
        if (isConnected === true && connected === false) listener('online');
        connected = isConnected;
      });
      return () => {
        app.remove();
        forget();
      };
    },
  },
});

/** `const { messages, unread, connection } = useChat();` */
export function useChat(): ChatState {
  return useSyncExternalStore(chat.subscribe, chat.getState);
}

/** The signed-in customer of the app: your server makes the token. */
export function signIn(fetchToken: () => Promise<string>): Promise<unknown> {
  return chat.identify(fetchToken);
}
