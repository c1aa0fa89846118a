"""The two merchants of the demo world: a café with two stores, and a bookshop that must not see the café."""

from collections.abc import Sequence
from dataclasses import dataclass

from merchant_platform.demo.patterns import AFTERNOON, EVENING, MORNING, NOON, Goods, Rhythm, Taste


@dataclass(frozen=True, slots=True)
class Place:
    """A store; `code` begins the numbers of its orders."""

    name: str
    city: str
    code: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant and how it sells."""

    slug: str
    name: str
    places: Sequence[Place]
    goods: Sequence[Goods]
    rhythm: Rhythm
    taste: Taste
    country: str = "CN"
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"


COFFEE, TEA, BAKERY, LIGHT, BEANS, GOODS = "咖啡", "茶饮", "烘焙", "轻食", "咖啡豆", "周边"

CAFE = Shop(
    slug="morning-light-coffee",
    name="晨光咖啡 Morning Light Coffee",
    places=(Place("静安店", "上海", "JA"), Place("徐汇店", "上海", "XH")),
    goods=(
        Goods("美式", COFFEE, 2200, 420, 9, "Americano"),
        Goods("拿铁", COFFEE, 2800, 680, 12, "Caffè latte"),
        Goods("燕麦拿铁", COFFEE, 3200, 860, 7, "Oat milk latte"),
        Goods("卡布奇诺", COFFEE, 2800, 680, 4, "Cappuccino"),
        Goods("澳白", COFFEE, 3000, 720, 5, "Flat white"),
        Goods("摩卡", COFFEE, 3200, 840, 2, "Mocha"),
        Goods("生椰拿铁", COFFEE, 3000, 790, 6, "Coconut latte"),
        Goods("桂花拿铁", COFFEE, 3200, 810, 3, "Osmanthus latte"),
        Goods("手冲 耶加雪菲", COFFEE, 3800, 950, 3, "Pour-over, Yirgacheffe"),
        Goods("冷萃", COFFEE, 3000, 580, 4, "Cold brew"),
        Goods("意式浓缩", COFFEE, 1800, 320, 2, "Espresso"),
        Goods("茉莉绿茶", TEA, 2000, 310, 4, "Jasmine green tea"),
        Goods("桂花乌龙", TEA, 2400, 420, 5, "Osmanthus oolong"),
        Goods("伯爵红茶", TEA, 2200, 360, 3, "Earl Grey"),
        Goods("抹茶拿铁", TEA, 3200, 930, 5, "Matcha latte"),
        Goods("柚子蜜茶", TEA, 2600, 610, 3, "Honey pomelo tea"),
        Goods("姜枣茶", TEA, 2400, 520, 2, "Ginger and jujube tea"),
        Goods("冻柠茶", TEA, 2200, 380, 4, "Iced lemon tea"),
        Goods("黄油可颂", BAKERY, 1600, 520, 9, "Butter croissant"),
        Goods("巧克力可颂", BAKERY, 1800, 610, 5, "Pain au chocolat"),
        Goods("肉桂卷", BAKERY, 2000, 640, 4, "Cinnamon roll"),
        Goods("海盐贝果", BAKERY, 1500, 430, 4, "Sea salt bagel"),
        Goods("蓝莓玛芬", BAKERY, 1800, 560, 3, "Blueberry muffin"),
        Goods("巴斯克芝士", BAKERY, 3200, 1150, 4, "Basque cheesecake"),
        Goods("提拉米苏", BAKERY, 3400, 1240, 3, "Tiramisu"),
        Goods("可露丽", BAKERY, 1400, 410, 3, "Canelé"),
        Goods("柠檬磅蛋糕", BAKERY, 2200, 680, 2, "Lemon pound cake"),
        Goods("鸡胸藜麦沙拉", LIGHT, 4200, 1700, 5, "Chicken and quinoa salad"),
        Goods("烟熏三文鱼贝果", LIGHT, 4600, 2050, 4, "Smoked salmon bagel"),
        Goods("火腿芝士帕尼尼", LIGHT, 3600, 1420, 5, "Ham and cheese panini"),
        Goods("牛油果吐司", LIGHT, 3800, 1510, 4, "Avocado toast"),
        Goods("菌菇浓汤", LIGHT, 2800, 890, 3, "Mushroom soup"),
        Goods("早餐可颂三明治", LIGHT, 3200, 1230, 5, "Breakfast croissant sandwich"),
        Goods("耶加雪菲 250g", BEANS, 9800, 4600, 3, "Whole beans, Ethiopia"),
        Goods("云南保山 250g", BEANS, 7800, 3400, 4, "Whole beans, Yunnan"),
        Goods("哥伦比亚慧兰 250g", BEANS, 8800, 4100, 2, "Whole beans, Colombia"),
        Goods("晨光拼配 454g", BEANS, 11800, 5200, 4, "House blend, whole beans"),
        Goods("陶瓷马克杯", GOODS, 8800, 3200, 3, "Ceramic mug"),
        Goods("随行杯", GOODS, 12800, 5200, 2, "Travel tumbler"),
        Goods("挂耳礼盒", GOODS, 6900, 2600, 4, "Drip bags, box of ten"),
    ),
    rhythm=Rhythm(
        weekday_hours={
            **{7: 4, 8: 11, 9: 9, 10: 5, 11: 5, 12: 9, 13: 7, 14: 4.5},
            **{15: 5.5, 16: 4.5, 17: 3.5, 18: 3, 19: 2, 20: 1.5, 21: 0.5},
        },
        weekend_hours={
            **{8: 2, 9: 5, 10: 10, 11: 11, 12: 8, 13: 6.5, 14: 7, 15: 8},
            **{16: 6, 17: 4, 18: 3, 19: 2.5, 20: 1.5, 21: 0.5},
        },
        days=(0.94, 0.98, 1.0, 1.02, 1.1, 1.16, 1.04),
        growth=0.35,
    ),
    taste=Taste(
        first={
            MORNING: {COFFEE: 80, TEA: 5, BAKERY: 5, LIGHT: 9, BEANS: 0.6, GOODS: 0.4},
            NOON: {COFFEE: 38, TEA: 12, BAKERY: 6, LIGHT: 42, BEANS: 1.2, GOODS: 0.8},
            AFTERNOON: {COFFEE: 36, TEA: 44, BAKERY: 15, LIGHT: 2.5, BEANS: 1.5, GOODS: 1},
            EVENING: {COFFEE: 24, TEA: 44, BAKERY: 16, LIGHT: 12, BEANS: 2, GOODS: 2},
        },
        companions={
            COFFEE: (
                (BAKERY, {MORNING: 0.46, NOON: 0.22, AFTERNOON: 0.32, EVENING: 0.2}),
                (LIGHT, {MORNING: 0.10, NOON: 0.24, AFTERNOON: 0.03, EVENING: 0.08}),
                (BEANS, {MORNING: 0.012, NOON: 0.012, AFTERNOON: 0.02, EVENING: 0.02}),
            ),
            TEA: (
                (BAKERY, {MORNING: 0.3, NOON: 0.18, AFTERNOON: 0.42, EVENING: 0.25}),
                (TEA, {AFTERNOON: 0.16, EVENING: 0.12}),
            ),
            BAKERY: ((COFFEE, {MORNING: 0.6, NOON: 0.4, AFTERNOON: 0.3}), (TEA, {AFTERNOON: 0.35, EVENING: 0.3})),
            LIGHT: (
                (COFFEE, {MORNING: 0.62, NOON: 0.5, AFTERNOON: 0.3, EVENING: 0.15}),
                (TEA, {NOON: 0.16, AFTERNOON: 0.2, EVENING: 0.3}),
                (BAKERY, {NOON: 0.1, AFTERNOON: 0.1}),
            ),
            BEANS: ((COFFEE, dict.fromkeys((MORNING, NOON, AFTERNOON, EVENING), 0.45)),),
            GOODS: ((COFFEE, dict.fromkeys((MORNING, NOON, AFTERNOON, EVENING), 0.4)), (BEANS, {AFTERNOON: 0.2})),
        },
        pairs={"拿铁": "黄油可颂", "手冲 耶加雪菲": "巴斯克芝士", "桂花乌龙": "可露丽", "美式": "海盐贝果"},
    ),
)

LITERATURE, CHILDREN, STATIONERY = "文学", "童书", "文创"
_ALL_DAY = (MORNING, NOON, AFTERNOON, EVENING)

BOOKSHOP = Shop(
    slug="shanhai-books",
    name="山海书店 Shanhai Books",
    places=(Place("巨鹿路店", "上海", "JL"),),
    goods=(
        Goods("红楼梦 精装", LITERATURE, 12800, 7600, 3),
        Goods("西游记 精装", LITERATURE, 11800, 7000, 2),
        Goods("浮生六记", LITERATURE, 3600, 2100, 5),
        Goods("陶庵梦忆", LITERATURE, 3900, 2300, 3),
        Goods("徐霞客游记", LITERATURE, 6800, 4000, 2),
        Goods("山海经 绘本", CHILDREN, 8800, 5200, 4),
        Goods("节气绘本 全四册", CHILDREN, 10800, 6400, 2),
        Goods("手账本", STATIONERY, 5800, 2100, 4),
        Goods("黄铜书签", STATIONERY, 3200, 900, 5),
        Goods("帆布袋", STATIONERY, 6900, 2300, 3),
    ),
    rhythm=Rhythm(
        weekday_hours={10: 2, 11: 3, 12: 5, 13: 4, 14: 3, 15: 4, 16: 4, 17: 5, 18: 7, 19: 7, 20: 4},
        weekend_hours={10: 5, 11: 7, 12: 5, 13: 6, 14: 9, 15: 10, 16: 9, 17: 6, 18: 5, 19: 4, 20: 2},
        days=(0.7, 0.75, 0.8, 0.85, 1.1, 1.7, 1.6),
        growth=0.1,
    ),
    taste=Taste(
        first={part: {LITERATURE: 55, CHILDREN: 20, STATIONERY: 25} for part in _ALL_DAY},
        companions={
            LITERATURE: ((STATIONERY, dict.fromkeys(_ALL_DAY, 0.3)), (LITERATURE, dict.fromkeys(_ALL_DAY, 0.2))),
            CHILDREN: ((CHILDREN, dict.fromkeys(_ALL_DAY, 0.3)), (STATIONERY, dict.fromkeys(_ALL_DAY, 0.2))),
        },
        second_of_the_same=0.03,
    ),
)
