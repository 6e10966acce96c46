// Rate limits of a key, as the server has them, as a form edits them and as a person reads them.

import { formatCount, formatCounted } from '../../format';
import type { RateWindow } from '../../server/calls';

export const MOST_LIMITS = 4;

export type Unit = 'second' | 'minute' | 'hour' | 'day';

/** The longest first. */
const SECONDS: [Unit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** A limit while somebody types it. */
export interface LimitDraft {
  name: string;
  uses: string;
  length: string;
  unit: Unit;
}

/** A limit to begin with, under a name that is free. */
export function newLimit(others: LimitDraft[]): LimitDraft {
  const names = ['default', 'burst', 'sustained', 'daily'];
  const name = names.find((free) => others.every((other) => other.name !== free)) ?? '';
  return { name, uses: '', length: '1', unit: 'minute' };
}

export function toDraft({ name, limit, window_s }: RateWindow): LimitDraft {
  const [length, unit] = inWholeUnits(window_s);
  return { name, uses: String(limit), length: String(length), unit };
}

export function fromDraft({ name, uses, length, unit }: LimitDraft): RateWindow {
  const seconds = SECONDS.find(([own]) => own === unit)?.[1] ?? 1;
  return { name, limit: Number(uses), window_s: Number(length) * seconds };
}

/** `burst: 10 in 1 second`; one that has no name of its own goes without. */
export function formatLimit({ name, limit, window_s }: RateWindow): string {
  const text = `${formatCount(limit)} in ${formatCounted(...inWholeUnits(window_s))}`;
  return name === 'default' ? text : `${name}: ${text}`;
}

/** `3600` becomes 1 hour, `90` stays 90 seconds: a limit is never rounded. */
function inWholeUnits(seconds: number): [number, Unit] {
  const [unit, length] = SECONDS.find(([, whole]) => seconds % whole === 0) ?? ['second', 1];
  return [seconds / length, unit];
}
