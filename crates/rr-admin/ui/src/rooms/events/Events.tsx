// “Recent DevOps Events”: what other programs reported, newest first.

import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';

import { Answer } from '../../parts/Answer';
import { Card, Empty } from '../../parts/Card';
import { queries } from '../../server/queries';
import { EventRow } from './EventRow';
import styles from './events.module.css';

export function Events() {
  const events = useInfiniteQuery(queries.events);
  return (
    <Card title="Recent DevOps Events" level={2}>
      <Answer of={events} lines={8}>
        {(data) => {
          const rows = data.pages.flatMap((page) => page.events);
          return rows.length === 0 ? (
            <Empty>No events yet. What programs send to the webhook appears here.</Empty>
          ) : (
            <ul className={styles.events}>
              {rows.map((event) => (
                <EventRow key={event.id} event={event} />
              ))}
            </ul>
          );
        }}
      </Answer>
      {events.hasNextPage && (
        <Button
          variant="default"
          size="compact-sm"
          mt="sm"
          loading={events.isFetchingNextPage}
          onClick={() => void events.fetchNextPage()}
        >
          Show older events
        </Button>
      )}
    </Card>
  );
}
