// The keys that end within two weeks, above the list: those that nobody replaces stop a program.

import { useQuery } from '@tanstack/react-query';

import { formatCounted } from '../../format';
import { When } from '../../parts/When';
import { SOON_DAYS } from '../../server/calls';
import { queries } from '../../server/queries';
import styles from './keys.module.css';

const SHOWN = 5;

export function EndingSoon() {
  const ending = useQuery(queries.endingKeys);
  if (ending.isError && !ending.data) {
    return <p className={styles.notice}>Which keys end within {SOON_DAYS} days could not be read.</p>;
  }
  const keys = ending.data?.keys ?? [];
  if (keys.length === 0) return null;
  const more = keys.length - SHOWN;
  // The server has told of one page.
  const orMore = ending.data?.next_cursor ? ' or more' : '';
  return (
    <p className={styles.notice}>
      <strong>
        {formatCounted(keys.length, `key${orMore} ends`, `keys${orMore} end`)} within {SOON_DAYS} days:
      </strong>{' '}
      {keys.slice(0, SHOWN).map((key, index) => (
        <span key={key.id}>
          {index > 0 && ', '}
          {key.name} {key.expires_at && <When time={key.expires_at} />}
        </span>
      ))}
      {more > 0 && ` and ${more}${orMore} others`}.
    </p>
  );
}
