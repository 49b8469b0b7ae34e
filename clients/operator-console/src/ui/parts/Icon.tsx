/** 20×20 outlines, drawn for this console. */
const PATHS = {
  chats: 'M3.5 5.5a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H9l-4 3v-3a1.5 1.5 0 0 1-1.5-1.5z',
  phone: 'M6.2 3.5 8 7 6.6 8.6a10 10 0 0 0 4.8 4.8L13 12l3.5 1.8v2.2c0 .6-.5 1-1 1A12.5 12.5 0 0 1 3 4.5c0-.5.4-1 1-1z',
  setup: 'm7 6-4 4 4 4m6-8 4 4-4 4',
  settings: 'M4 6h6m4 0h2M4 14h2m4 0h6M12 4v4M8 12v4',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zm4-1.5 3.5 3.5',
  close: 'm5 5 10 10M15 5 5 15',
  back: 'm12 4-6 6 6 6',
  check: 'm4 10.5 4 4 8-9',
  down: 'M10 4v12m-5-5 5 5 5-5',
  up: 'M10 16V4m-5 5 5-5 5 5',
  attach: 'm15.5 9.5-6 6a3.5 3.5 0 0 1-5-5l6.5-6.5a2.4 2.4 0 0 1 3.4 3.4L8 14a1.2 1.2 0 0 1-1.7-1.7l5.7-5.8',
  send: 'M4 10 3 3.5 17 10 3 16.5 4 10zm0 0h6',
  sendNext: 'M3 10h9m-4-4 4 4-4 4m8-9v10',
  note: 'M4 3.5h12v9l-4 4H4zm8 13v-4h4',
  person: 'M10 10a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 10 10zm-6.5 6.5c.6-3 3.2-4.5 6.5-4.5s5.9 1.5 6.5 4.5',
  transfer: 'M3.5 7h11l-3-3m5 9h-11l3 3',
  queue: 'M8 5 4 9l4 4M4 9h8a4 4 0 0 1 4 4v2',
  reopen: 'M15.5 8A6 6 0 1 0 16 11.5M16 4v4h-4',
  eye: 'M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zm7.5 2a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  file: 'M5 3h6l4 4v10H5zm6 0v4h4',
  bolt: 'M11 2.5 4.5 11H9l-1 6.5L15 9h-4.5z',
  keyboard: 'M2.5 5.5h15v9h-15zM6 8.5h.01M9 8.5h.01M12 8.5h.01M15 8.5h.01M6.5 11.7h7',
  exit: 'M8 3.5H4v13h4m4-10 4 3.5-4 3.5m4-3.5H8',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zm3.5 1.5a1.5 1.5 0 0 0 3 0',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm0-11v4.5l3 1.5',
  edit: 'm4 16 1-4 8-8 3 3-8 8zM11.5 5.5l3 3',
  path: 'M5 16.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm10-9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5 12.5V9a2.5 2.5 0 0 1 2.5-2.5H13m2 1V11a2.5 2.5 0 0 1-2.5 2.5H7',
  plus: 'M10 4v12M4 10h12',
  sort: 'M6 4v12m-3-3 3 3 3-3m3-8h5m-5 4h4m-4 4h2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
