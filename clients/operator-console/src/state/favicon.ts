/** The icon of the tab with the number on it, drawn here so that it needs no file per number. */
export function drawFavicon(count: number): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 64;
  const pen = canvas.getContext('2d');
  if (link === null || pen === null) return;
  pen.fillStyle = '#3b5bdb';
  pen.beginPath();
  pen.roundRect(4, 6, 56, 44, 14);
  pen.fill();
  pen.beginPath();
  pen.moveTo(18, 46);
  pen.lineTo(18, 61);
  pen.lineTo(34, 48);
  pen.fill();
  if (count > 0) {
    pen.fillStyle = '#e03131';
    pen.beginPath();
    pen.arc(44, 22, 20, 0, 7);
    pen.fill();
  }
  pen.fillStyle = '#fff';
  pen.textAlign = 'center';
  pen.font = 'bold 26px system-ui, sans-serif';
  if (count > 0) pen.fillText(count > 99 ? '99' : String(count), 44, 32);
  else for (const x of [20, 32, 44]) pen.fillRect(x - 3, 25, 6, 6);
  link.href = canvas.toDataURL('image/png');
}
