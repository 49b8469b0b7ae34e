const PATHS = {
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5l7 7-7 7',
  clip: 'M20 11.5l-8.3 8.3a5 5 0 0 1-7.1-7.1l8.6-8.6a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.6 1.6 0 0 1-2.3-2.3l7.7-7.7',
  phone:
    'M6.6 3.5h2.6l1.5 4.3-2 1.6a12 12 0 0 0 5.9 5.9l1.6-2 4.3 1.5v2.6a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4.6 5.7a2 2 0 0 1 2-2.2z',
  sound: 'M6 9v6M6 9a6 6 0 0 1 12 0c0 5 2 6 2 6H4s2-1 2-6M10.3 19a2 2 0 0 0 3.4 0',
  muted: 'M9 4a6 6 0 0 1 9 5c0 5 2 6 2 6h-5M6 9c0 5-2 6-2 6h8M4 4l16 16M10.3 19a2 2 0 0 0 3.4 0',
  file: 'M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8l-5-5zM14 3v5h5',
  down: 'M12 5v14M6 13l6 6 6-6',
  retry: 'M20 11a8 8 0 1 0-2.3 5.7M20 5v6h-6',
  alert: 'M12 8v5M12 16.5v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z',
  clock: 'M12 7v5l3 2M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z',
  more: 'M4.5 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M17.5 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5L6.5 17 16 7.5M11.5 16.2l.8.8L22 7.5',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
