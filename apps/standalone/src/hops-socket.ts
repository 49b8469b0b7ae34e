/** In the data folder: the socket on which `admin trace` queries the event traces of a chat in one process. */
export const HOPS_SOCKET = 'hops.sock';
