import blanket from './art/blanket.svg';
import chair from './art/chair.svg';
import clock from './art/clock.svg';
import cups from './art/cups.svg';
import kettle from './art/kettle.svg';
import lamp from './art/lamp.svg';
import sofa from './art/sofa.svg';
import vase from './art/vase.svg';

export interface Good {
  readonly picture: string;
  readonly price: number;
  readonly ru: readonly [name: string, about: string];
  readonly en: readonly [name: string, about: string];
}

export const GOODS: readonly Good[] = [
  { picture: kettle, price: 4_290, ru: ['Чайник «Туман»', 'эмаль, 1,7 л'], en: ['Kettle “Mist”', 'enamel, 1.7 l'] },
  {
    picture: lamp,
    price: 5_900,
    ru: ['Лампа «Полдень»', 'лён, тёплый свет'],
    en: ['Lamp “Noon”', 'linen, warm light'],
  },
  { picture: cups, price: 1_850, ru: ['Пара чашек', 'керамика, 300 мл'], en: ['Pair of cups', 'ceramic, 300 ml'] },
  {
    picture: blanket,
    price: 3_400,
    ru: ['Плед «Овсянка»', 'шерсть, 140 × 200'],
    en: ['Blanket “Oat”', 'wool, 140 × 200'],
  },
  {
    picture: sofa,
    price: 58_000,
    ru: ['Диван «Норд»', 'три места, букле'],
    en: ['Sofa “Nord”', 'three seats, bouclé'],
  },
  { picture: vase, price: 2_600, ru: ['Ваза «Роса»', 'стекло, 28 см'], en: ['Vase “Dew”', 'glass, 28 cm'] },
  { picture: clock, price: 4_700, ru: ['Часы «Полночь»', 'ясень, бесшумные'], en: ['Clock “Midnight”', 'ash, silent'] },
  { picture: chair, price: 21_500, ru: ['Кресло «Горчица»', 'велюр, дуб'], en: ['Armchair “Mustard”', 'velour, oak'] },
];
