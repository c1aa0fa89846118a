"""Invented people: names as one meets them in Shanghai, addresses at example.com."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from security.access import roles

_SURNAMES = (
    "王 wang 李 li 张 zhang 刘 liu 陈 chen 杨 yang 黄 huang 赵 zhao 吴 wu 周 zhou 徐 xu 孙 sun 马 ma 朱 zhu 胡 hu "
    "郭 guo 何 he 林 lin 高 gao 罗 luo 郑 zheng 梁 liang 谢 xie 宋 song 唐 tang 许 xu 邓 deng 冯 feng 韩 han "
    "曹 cao 曾 zeng 彭 peng 萧 xiao 蔡 cai 潘 pan 田 tian 董 dong 袁 yuan 余 yu 叶 ye 蒋 jiang 杜 du 苏 su 魏 wei "
    "程 cheng 吕 lyu 丁 ding 沈 shen"
)
_GIVEN = (
    "芳 fang 娜 na 敏 min 静 jing 丽 li 强 qiang 磊 lei 军 jun 洋 yang 勇 yong 艳 yan 杰 jie 涛 tao 明 ming "
    "超 chao 霞 xia 平 ping 刚 gang 子涵 zihan 雨桐 yutong 浩然 haoran 欣怡 xinyi 宇轩 yuxuan 诗涵 shihan "
    "梓萱 zixuan 思远 siyuan 佳琪 jiaqi 俊熙 junxi 晓彤 xiaotong 嘉怡 jiayi 文博 wenbo 若曦 ruoxi 天佑 tianyou "
    "梦琪 mengqi 志强 zhiqiang 雅婷 yating 泽宇 zeyu 可欣 kexin 建国 jianguo 秀英 xiuying 海燕 haiyan 晨曦 chenxi "
    "语嫣 yuyan 睿 rui 婷婷 tingting 鹏飞 pengfei 乐 le 安琪 anqi"
)
_LATIN_FIRST = "Emma Lucas Sofia Hugo Maya Oliver Clara Noah Ines Leon Alice Marco Nora Daniel Julia Samuel Priya Kenji"
_LATIN_LAST = "Martin Keller Rossi Dubois Silva Novak Larsen Moreau Fischer Costa Tanaka Walsh Patel Berg Santos Meyer"
_LATIN_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    email: str
    locale: str = "zh-CN"


@dataclass(frozen=True, slots=True)
class Employee:
    """A person's place at the café, and the stores it is limited to (positions; none: all of them)."""

    role: str
    person: Person
    stores: tuple[int, ...] = ()


STAFF = (
    Employee(roles.OWNER, Person("顾晨", "owner@example.com")),
    Employee(roles.MANAGER, Person("陆知夏", "manager@example.com")),
    Employee(roles.CASHIER, Person("秦小满", "cashier@example.com"), stores=(0,)),
    Employee(roles.ANALYST, Person("方以宁", "analyst@example.com")),
    Employee(roles.DEVELOPER, Person("Ravi Menon", "developer@example.com", "en")),
    Employee(roles.SUPPORT, Person("白露", "support@example.com")),
    Employee(roles.FINANCE, Person("江一帆", "finance@example.com")),
)
OTHER_STAFF = (Employee(roles.OWNER, Person("季山", "bookshop@example.com")),)
OPERATOR = Person("Platform Operator", "operator@example.com", "en")
# Customers who can sign in to their wallet.
CONSUMERS = (
    Person("林晓晨", "lin.xiaochen@example.com"),
    Person("周子墨", "zhou.zimo@example.com"),
    Person("沈佳宁", "shen.jianing@example.com"),
    Person("Anna Weiss", "anna.weiss@example.com", "en"),
)


def invent(count: int, *, rng: Random) -> list[Person]:
    """As many people as asked for, each with an address of its own."""
    names = _names(rng)
    taken: dict[str, int] = {}
    people = []
    for _ in range(count):
        name, stem, locale = next(names)
        taken[stem] = taken.get(stem, 0) + 1
        number = taken[stem] if taken[stem] > 1 else ""
        people.append(Person(name, f"{stem}{number}@example.com", locale))
    return people


def _names(rng: Random) -> Iterator[tuple[str, str, str]]:
    surnames, given = _pairs(_SURNAMES), _pairs(_GIVEN)
    # The commonest surnames come first, as in life.
    commonness = [1 / (place + 4) for place in range(len(surnames))]
    first, last = _LATIN_FIRST.split(), _LATIN_LAST.split()
    while True:
        if rng.random() < _LATIN_SHARE:
            name = f"{rng.choice(first)} {rng.choice(last)}"
            yield name, name.lower().replace(" ", "."), "en"
        else:
            (surname, sound), (own, own_sound) = rng.choices(surnames, commonness)[0], rng.choice(given)
            yield surname + own, f"{own_sound}.{sound}", "zh-CN"


def _pairs(words: str) -> list[tuple[str, str]]:
    split = words.split()
    return list(zip(split[::2], split[1::2], strict=True))
