// How a number grew, and which way that points.

import { formatPercent } from '../../format';
import { DownIcon, LevelIcon, NewIcon, UpIcon } from '../../parts/icons';
import type { Trend } from '../../server/calls';
import styles from './figures.module.css';

const ICONS: Record<Trend, () => React.JSX.Element> = { up: UpIcon, down: DownIcon, stable: LevelIcon, new: NewIcon };

interface GrowthProps {
  of: { growthRate?: number | null; trend: Trend };
  /** What the number is compared with. */
  since: string;
}

export function Growth({ of, since }: GrowthProps) {
  const Icon = ICONS[of.trend];
  const rate = of.growthRate ?? null;
  return (
    <p className={styles.growth}>
      <span className={styles.trend} data-trend={of.trend}>
        <Icon />
        {rate === null ? 'New' : formatPercent(rate)}
      </span>
      {rate === null ? 'nothing above zero to compare with' : `${of.trend} vs. ${since}`}
    </p>
  );
}
