// One event: a line that opens to what was sent.

import { useState } from 'react';

import { formatFull } from '../../format';
import { OpenIcon } from '../../parts/icons';
import { When } from '../../parts/When';
import type { Event } from '../../server/calls';
import styles from './events.module.css';

export function EventRow({ event }: { event: Event }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(toggle) => setOpen(toggle.currentTarget.open)}>
        <summary>
          <OpenIcon />
          <span className={styles.type}>{event.event_type}</span>
          <span className={styles.source}>{event.source}</span>
          <When time={event.received_at} />
        </summary>
        {/* A body may be large, so it is only written out for those who look. */}
        {open && <Body event={event} />}
      </details>
    </li>
  );
}

function Body({ event }: { event: Event }) {
  return (
    <div className={styles.body}>
      <p>
        Received {formatFull(event.received_at)}
        {event.occurred_at && <>, occurred {formatFull(event.occurred_at)}</>}
      </p>
      {/* Text, never markup: strangers wrote it. Focusable, because it scrolls. */}
      <pre tabIndex={0} role="group" aria-label={`Data of ${event.event_type}`}>
        {JSON.stringify(event.data, null, 2)}
      </pre>
    </div>
  );
}
