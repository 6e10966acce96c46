// How recurring revenue and sign-ups went, month by month (UTC, as everywhere in the figures).

import { useQuery } from '@tanstack/react-query';

import { formatCount, formatMoney, formatMonth } from '../../format';
import { Answer } from '../../parts/Answer';
import { Card } from '../../parts/Card';
import { Columns } from '../../parts/Columns';
import type { Series } from '../../server/calls';
import { queries } from '../../server/queries';
import styles from './figures.module.css';

export function Courses() {
  return (
    <div className={styles.courses}>
      <Course title="Monthly recurring revenue, 12 months" metric="mrr" />
      <Course title="Sign-ups, 12 months" metric="signups" />
    </div>
  );
}

function Course({ title, metric }: { title: string; metric: string }) {
  const read = useQuery(queries.year(metric));
  return (
    <Card title={title}>
      <Answer of={read} lines={3}>
        {(series) => <Columns caption={title} columns={columns(series)} />}
      </Answer>
    </Card>
  );
}

function columns({ points, currency }: Series) {
  return points.map(({ start, value, partial }) => {
    // Neither of the two is ever null; the shape is that of rates too.
    const amount = value ?? 0;
    const text = currency ? formatMoney(amount, currency) : formatCount(amount);
    return { name: formatMonth(start), value: amount, text, partial };
  });
}
