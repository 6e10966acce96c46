// Which deployment each of the newest incidents is put down to, why, and how sure that is.

import { Empty } from '../../parts/Card';
import { When } from '../../parts/When';
import type { Delivery } from '../../server/calls';
import styles from './delivery.module.css';

/** Why a deployment is taken for the cause, as the server tells it apart. */
const EVIDENCE: Record<Delivery['links'][number]['link'], string> = {
  id: 'the incident names it',
  chain: 'both belong to one chain of events',
  artifact: 'both are about the same artifact',
  rollback: 'it was taken back meanwhile',
  time: 'it was the last one before',
};

const SHOWN = 5;

export function Links({ of: { links, incidents } }: { of: Delivery }) {
  return (
    <div>
      <h3 className={styles.name}>Incidents and what caused them</h3>
      {links.length === 0 && <Empty>No incident is tied to a deployment.</Empty>}
      <ul className={styles.links}>
        {links.slice(0, SHOWN).map((link) => (
          <li key={link.incident}>
            <span>
              Incident <When time={link.detected_at} />, deployment <When time={link.deployed_at} />
            </span>
            <span className={styles.confidence} data-confidence={link.confidence}>
              {link.confidence} confidence
            </span>
            <span className={styles.note}>{EVIDENCE[link.link]}</span>
          </li>
        ))}
      </ul>
      {incidents.unlinked > 0 && <p className={styles.note}>{incidents.unlinked} more without a known cause.</p>}
    </div>
  );
}
