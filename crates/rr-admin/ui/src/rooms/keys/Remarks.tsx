// What somebody should know about a key beyond its status.

import { formatCounted, formatLabel } from '../../format';
import { useNow } from '../../parts/now';
import { When } from '../../parts/When';
import type { Key } from '../../server/calls';
import styles from './keys.module.css';
import { formatLimit } from './limits';
import { endsSoon, isOpenLeak } from './standing';

export function Status({ of }: { of: Key }) {
  const now = useNow();
  return (
    <span className={styles.badges}>
      <span className={styles.status} data-status={of.status}>
        {formatLabel(of.status)}
      </span>
      {of.status !== 'leaked' && isOpenLeak(of) && (
        <span className={styles.status} data-status="leaked">
          Leaked
        </span>
      )}
      {endsSoon(of, now) && (
        <span className={styles.status} data-status="soon">
          Ends soon
        </span>
      )}
    </span>
  );
}

/** When a key that does not work yet will. */
export function StartLine({ of }: { of: Key }) {
  if (of.status !== 'not_yet_valid' || !of.not_before) return null;
  return (
    <p className={styles.remark}>
      Works from <When time={of.not_before} />
    </p>
  );
}

/** That a new secret waits, and the old one works until somebody uses it. */
export function PendingLine({ of }: { of: Key }) {
  if (!of.pending) return null;
  return (
    <p className={styles.remark}>
      A new secret ({of.pending.hint}…) waits for its first use since <When time={of.pending.since} />; the old one works
      until then.
    </p>
  );
}

/** Until when the secret that a rotation has replaced works, and whether some program still shows it. */
export function GraceLine({ of }: { of: Key }) {
  if (!of.grace_until) return null;
  const old = of.usage.superseded;
  return (
    <p className={styles.remark}>
      The old secret ends <When time={of.grace_until} />
      {old && old.count > 0 && (
        <>
          ; it was used {formatCounted(old.count, 'time')}, last <When time={old.last_used} />
          {old.last_address && ` from ${old.last_address}`}
        </>
      )}
      .
    </p>
  );
}

/** That somebody goes on with a secret that opens nothing any more. */
export function RefusedLine({ of }: { of: Key }) {
  const { refused } = of.usage;
  if (!refused) return null;
  return (
    <p className={styles.remark}>
      A dead secret was tried {formatCounted(refused.count, 'time')}, last <When time={refused.last_used} />
      {refused.last_address && ` from ${refused.last_address}`}.
    </p>
  );
}

/** How often the key may be used. One without limits says nothing. */
export function LimitsLine({ of }: { of: Key }) {
  const limits = of.rate_limits ?? [];
  if (limits.length === 0) return null;
  return <p className={styles.remark}>At most {limits.map(formatLimit).join(', ')}</p>;
}

/** What could be taken from the key without anybody noticing. A key that nobody has used yet says nothing. */
export function NeverNeeded({ of }: { of: Key }) {
  if (of.usage.count === 0 || of.unused_permissions.length === 0) return null;
  return <p className={styles.remark}>Never needed: {of.unused_permissions.join(', ')}</p>;
}

/** The leak of a key, in a line. Where it was found is text and never a link: anybody may have written it. */
export function LeakLine({ of }: { of: Key }) {
  const { leak } = of;
  if (!leak) return null;
  return (
    <p className={styles.remark} data-open={isOpenLeak(of) || undefined}>
      {leak.works ? 'A secret is public and works: rotate the key' : 'A secret became public and works no more'}. Reported{' '}
      <When time={leak.reported_at} />
      {leak.url && (
        <>
          , found at <span className={styles.place}>{leak.url}</span>
        </>
      )}
      {leak.works && leak.uses_since > 0 && (
        <>
          ; the key was used {formatCounted(leak.uses_since, 'time')} since
          {leak.last_used_since && (
            <>
              , last <When time={leak.last_used_since} />
            </>
          )}
        </>
      )}
      .
    </p>
  );
}
