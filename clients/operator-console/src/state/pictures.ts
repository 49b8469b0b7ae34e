import type { StaffApi } from '@chat-realtime/client/staff';
import { createStore, type Store } from '../store.ts';

const AT_ONCE = 20;
/** Of the file that is sent; a screen of double density shows the largest place with it. */
const SIDE = 256;
const QUALITY = 0.85;

/** Addresses of pictures by operator; null: none. */
type Known = Readonly<Record<string, string | null>>;

/** Pictures of operators, requested together for all components that show them. */
export class Pictures {
  readonly known: Store<Known> = createStore<Known>({});
  readonly #api: StaffApi;
  readonly #base: string;
  readonly #wanted = new Set<string>();
  #asking = false;

  constructor(api: StaffApi, base: string) {
    this.#api = api;
    this.#base = base.replace(/\/$/, '');
  }

  want(id: string): void {
    if (id in this.known.getState() || id.includes(',')) return;
    this.#wanted.add(id);
    if (this.#asking) return;
    this.#asking = true;
    // All that one drawing shows are asked for at once.
    queueMicrotask(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    const ids = [...this.#wanted].slice(0, AT_ONCE);
    for (const id of ids) this.#wanted.delete(id);
    try {
      const { pictures } = await this.#api.request<{ pictures: Record<string, string> }>('GET', '/chat/pictures', {
        query: { ids: ids.join(',') },
      });
      this.#learn(Object.fromEntries(ids.map((id) => [id, this.#url(pictures[id])])));
    } catch {
      // Initials are shown; the picture is requested again with the next page that shows them.
    }
    this.#asking = this.#wanted.size > 0;
    if (this.#asking) await this.#ask();
  }

  #url(path: string | undefined): string | null {
    return path === undefined ? null : this.#base + path;
  }

  #learn(part: Known): void {
    this.known.set({ ...this.known.getState(), ...part });
  }

  async put(id: string, file: Blob): Promise<void> {
    const image = await smallPicture(file);
    const { picture } = await this.#api.request<{ picture: string }>(
      'PUT',
      `/chat/operators/${encodeURIComponent(id)}/picture`,
      { body: { image } },
    );
    this.#learn({ [id]: this.#url(picture) });
  }

  async remove(id: string): Promise<void> {
    await this.#api.request('DELETE', `/chat/operators/${encodeURIComponent(id)}/picture`);
    this.#learn({ [id]: null });
  }
}

/** No picture that this browser can read. */
export class NotAPicture extends Error {}

/** The middle square of any picture as a small JPEG in base64: place and time of the photo are removed. */
async function smallPicture(file: Blob): Promise<string> {
  const image = await createImageBitmap(file).catch((cause: unknown) => {
    throw new NotAPicture('not a picture', { cause });
  });
  const side = Math.min(image.width, image.height);
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const drawing = canvas.getContext('2d');
  if (drawing === null) throw new NotAPicture('this browser draws nothing');
  drawing.fillStyle = '#fff';
  drawing.fillRect(0, 0, SIDE, SIDE);
  drawing.imageSmoothingQuality = 'high';
  drawing.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  image.close();
  return canvas.toDataURL('image/jpeg', QUALITY).replace(/^[^,]*,/, '');
}
