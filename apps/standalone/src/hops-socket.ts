/** In the data folder: where `admin trace` asks a chat in one process what it remembers. */
export const HOPS_SOCKET = 'hops.sock';
