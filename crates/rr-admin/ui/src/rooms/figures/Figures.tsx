// The figures of the three sync endpoints and of the dashboard, from the large ones to the rows behind them.

import { VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { queries } from '../../server/queries';
import { Breakdowns } from './Breakdowns';
import { Courses } from './Courses';
import { Headlines } from './Headlines';
import { Latest } from './Latest';
import styles from './figures.module.css';

export function Figures() {
  const read = {
    dashboard: useQuery(queries.dashboard),
    users: useQuery(queries.users),
    revenue: useQuery(queries.revenue),
    commissions: useQuery(queries.commissions),
  };
  return (
    <section aria-labelledby="figures" className={styles.figures}>
      <VisuallyHidden id="figures" component="h2">
        Figures
      </VisuallyHidden>
      <Headlines {...read} />
      <Courses />
      <Breakdowns {...read} />
      <Latest {...read} />
    </section>
  );
}
