import type { StaffSession } from '@chat-realtime/client/staff';

type Person = Pick<StaffSession, 'id' | 'contact' | 'customer_id'>;

/** What the server's search can find this person by; names are shared by too many. */
export function searchKey({ contact }: Person): string | null {
  return contact.email ?? contact.phone;
}

export function sameCustomer(one: Person, other: Person): boolean {
  if (one.id === other.id) return false;
  if (one.customer_id !== null && one.customer_id === other.customer_id) return true;
  const email = one.contact.email?.toLowerCase();
  if (email !== undefined && email === other.contact.email?.toLowerCase()) return true;
  return one.contact.phone !== null && one.contact.phone === other.contact.phone;
}
