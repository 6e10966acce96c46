// An instant, short to read and exact to hover.

import { formatDay, formatDistance, formatFull } from '../format';
import { useNow } from './now';

export function When({ time, as = 'distance' }: { time: string; as?: 'distance' | 'day' }) {
  const now = useNow();
  return (
    <time dateTime={time} title={formatFull(time)}>
      {as === 'day' ? formatDay(time) : formatDistance(time, now)}
    </time>
  );
}
